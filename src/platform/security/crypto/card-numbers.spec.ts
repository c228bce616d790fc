import { randomUUID } from 'node:crypto';
import { findCardNumbers, passesLuhn } from './card-numbers';

const found = (text: string): string[] => findCardNumbers(text).map(({ digits }) => digits);

/** Adds the digit that makes the Luhn check pass. */
function withCheckDigit(digits: string): string {
  return digits + [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].find((digit) => passesLuhn(`${digits}${digit}`));
}

describe('passesLuhn', () => {
  it.each(['4242424242424242', '79927398713', '0'])('accepts %s', (digits) => expect(passesLuhn(digits)).toBe(true));
  it.each(['4242424242424241', '79927398710', '1'])('refuses %s', (digits) => expect(passesLuhn(digits)).toBe(false));
});

describe('findCardNumbers', () => {
  it.each([
    '4242424242424242', '4000000000000002', '4000000000009995', '4000000000000259', '5555555555554444', '2223003122003222',
    '378282246310005', '371449635398431', '6011111111111117', '30569309025904', '38520000023237', '3530111333300000', '6200000000000005',
    '6304000000000000', '501800000009', '4000000000000000006',
  ])('finds %s', (pan) => {
    expect(found(pan)).toEqual([pan]);
  });

  it.each<[string, number[], number[]]>([
    ['4', [16, 18, 19], [12, 13, 14, 15, 17]],
    ['51', [16], [15, 17]],
    ['2221', [16], [15]],
    ['2720', [16], [19]],
    ['34', [15], [16]],
    ['649', [16, 19], [15, 17, 18]],
    ['305', [14, 16, 19], [15, 17]],
    ['3589', [16, 17, 18, 19], [15]],
    ['62', [14, 15, 16, 17, 18, 19], [12, 13]],
    ['6761', [12, 13, 19], []],
    ['63', [13, 19], [12]],
    ['59', [13, 16], [12]],
    ['2220', [], [16]],
    ['2721', [], [16]],
    ['306', [], [14, 16]],
    ['3527', [], [16]],
    ['1', [], [13, 16]],
    ['9', [], [16]],
  ])('knows the lengths of numbers that begin with %s', (prefix, lengths, others) => {
    const make = (length: number): string => withCheckDigit(prefix.padEnd(length - 1, '1'));
    expect(lengths.flatMap((length) => found(make(length)))).toEqual(lengths.map(make));
    expect(others.flatMap((length) => found(make(length)))).toEqual([]);
  });

  it.each([
    '4242 4242 4242 4242', '4242-4242-4242-4242', '4242\u00a04242\u00a04242\u00a04242', '4242\u20134242\u20134242\u20134242',
    '424242 4242424242', '4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2', 'card: 4242424242424242.', '"4242424242424242"', '=4242424242424242&',
    'pan_4242424242424242_', '(4242424242424242)', 'カード4242424242424242です', '12 4242 4242 4242 4242', '4242424242424242 12 30 99',
    'id-4242424242424242', '\n4242424242424242\n', '4242424242424242.pdf',
  ])('finds the number in %p', (text) => {
    expect(found(text)).toEqual(['4242424242424242']);
  });

  it('tells where each of several numbers stands', () => {
    expect(findCardNumbers('a 4242424242424242, 3782 822463 10005 z')).toEqual([
      { start: 2, end: 18, digits: '4242424242424242' },
      { start: 20, end: 37, digits: '378282246310005' },
    ]);
    expect(found('4242424242424242 5555555555554444')).toEqual(['4242424242424242', '5555555555554444']);
  });

  it('takes the longest reading when a shorter one is a card number too', () => {
    expect(found('4242 4242 4242 4242 00')).toEqual(['424242424242424200']);
  });

  it.each([
    ['a wrong check digit', '4242424242424241'],
    ['an identifier of digits only', 'pay_42424242424242424242424242424242'],
    ['hex around it', 'pay_019a4242424242424242aa0000000000'],
    ['letters touching it', 'x4242424242424242 4242424242424242x'],
    ['more digits touching it', '042424242424242420000'],
    ['two spaces between', '4242  4242  4242  4242'],
    ['a line feed between', '4242\n4242\n4242\n4242'],
    ['thousands points', '4.242.424.242.424.242'],
    ['unix milliseconds', '1750000000008 1699999999999 1750000000000'],
    ['unix microseconds', '1750000000000000'],
    ['a date and time', '2025-01-02T03:04:05.678Z 2025-01-02 03:04:05'],
    ['an amount with decimals', '4242424242424242.00 USD'],
    ['decimals of ether', '0.4242424242424242'],
    ['telephone numbers', '+639171234567 +63 917 123 4567 +573001234567 +1 415 555 2671'],
    ['a transaction hash', '4242424242424242'.repeat(4)],
  ])('leaves %s alone', (_what, text) => {
    expect(found(text)).toEqual([]);
  });

  it('takes no unix millisecond of three decades for a card number', () => {
    for (let atMs = 1_000_000_000_000; atMs < 1_900_000_000_000; atMs += 987_654_321) {
      expect(found(String(atMs))).toEqual([]);
    }
  });

  it('passes over valid IBANs in groups of four and nothing else', () => {
    const account = 'DE91 4242 4242 4242 4242 01';
    const compact = account.replaceAll(' ', '');
    // D is 13 and E is 14; ISO 13616 puts them behind the account, with 00 in the place of the check digits.
    const checkDigits = String(98n - (BigInt(`${compact.slice(4)}131400`) % 97n)).padStart(2, '0');
    const valid = `DE${checkDigits}${account.slice(4)}`;
    expect(found(`${valid}, 4242424242424242`)).toEqual(['4242424242424242']);
    const invalid = `DE${String((Number(checkDigits) % 97) + 1).padStart(2, '0')}${account.slice(4)}`;
    expect(found(invalid)).toEqual(['4242424242424242']);
  });

  it('takes no UUID for a card, and still finds one beside it', () => {
    const uuids = [
      '12345678-4242-4242-4242-424242424242', 'a5e1c0de-4111-4111-8111-111111111111', '5D0A3E1B-4532-4015-8123-456712345678',
    ];
    for (const uuid of uuids) {
      expect(findCardNumbers(uuid)).toEqual([]);
      expect(findCardNumbers(`order ${uuid} by 4242424242424242`).map(({ digits }) => digits)).toEqual(['4242424242424242']);
    }
    const random = Array.from({ length: 50_000 }, () => randomUUID());
    expect(random.filter((uuid) => findCardNumbers(uuid).length > 0)).toEqual([]);
  });
});
