/**
 * Finds payment card numbers (PANs) in free text.
 *
 * A card number here is a sequence of 12 to 19 digits, perhaps with single spaces or dashes between them, that passes the Luhn
 * check (ISO/IEC 7812-1) and has the length and leading digits of a card network, and that touches no letter or digit.
 *
 * The trade-off: an order number of 13 to 19 digits that happens to satisfy all of that (one in 27 random ones of 16 digits, one
 * in 40 to 150 of other lengths) is treated as a card number; a card number glued to letters is not found. That keeps identifiers,
 * hashes and addresses whole.
 * Text must be decoded before: in `%204242…` or in the raw JSON `"\n4242…"` the escape itself touches the number.
 */

/** Position of a card number in a text, `end` exclusive, and its digits without separators. */
export interface CardNumberSpan {
  readonly start: number;
  readonly end: number;
  readonly digits: string;
}

interface IssuerRange {
  /** First and last leading digits, both of the same length. */
  readonly from: number;
  readonly to: number;
  readonly lengths: readonly number[];
}

const from13To19 = [13, 14, 15, 16, 17, 18, 19];
const from14To19 = [14, 15, 16, 17, 18, 19];
const from12To19 = [12, ...from13To19];

/**
 * The ranges and lengths of the large networks, after braintree/credit-card-type (src/lib/card-types.ts), with one narrowing: Maestro once
 * ran from 12 digits, but 12 digits after 56 to 59 or 63 are mostly telephone numbers (Colombia, Venezuela, the Philippines),
 * so its broad ranges start at 13 here and only the best known beginnings start at 12. "6 and anything" is left out as well.
 */
const ISSUER_RANGES: readonly IssuerRange[] = [
  { from: 4, to: 4, lengths: [16, 18, 19] },
  { from: 51, to: 55, lengths: [16] },
  { from: 2221, to: 2720, lengths: [16] },
  { from: 34, to: 34, lengths: [15] },
  { from: 37, to: 37, lengths: [15] },
  { from: 6011, to: 6011, lengths: [16, 19] },
  { from: 644, to: 649, lengths: [16, 19] },
  { from: 65, to: 65, lengths: [16, 19] },
  { from: 300, to: 305, lengths: [14, 16, 19] },
  { from: 36, to: 36, lengths: [14, 16, 19] },
  { from: 38, to: 39, lengths: [14, 16, 19] },
  { from: 3528, to: 3589, lengths: [16, 17, 18, 19] },
  { from: 62, to: 62, lengths: from14To19 },
  { from: 50, to: 50, lengths: from13To19 },
  { from: 56, to: 59, lengths: from13To19 },
  { from: 63, to: 63, lengths: from13To19 },
  { from: 67, to: 67, lengths: from13To19 },
  { from: 5018, to: 5018, lengths: from12To19 },
  { from: 5020, to: 5020, lengths: from12To19 },
  { from: 5038, to: 5038, lengths: from12To19 },
  { from: 5893, to: 5893, lengths: from12To19 },
  { from: 6304, to: 6304, lengths: from12To19 },
  { from: 6759, to: 6759, lengths: from12To19 },
  { from: 6761, to: 6763, lengths: from12To19 },
];

const LENGTHS_BY_PREFIX = lengthsByPrefix();
const MIN_DIGITS = 12;

/** Of random UUIDs (RFC 9562) one in some twelve thousand has groups that read like a card number, and every second request holds one. */
const UUID = /(?<![A-Za-z0-9])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![A-Za-z0-9])/gi;
const SPACED_IBAN = /(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?(?![A-Za-z0-9])/g;

/** All card numbers in a text, from left to right, never overlapping. Takes time linear in the length of the text. */
export function findCardNumbers(text: string): CardNumberSpan[] {
  const found = searchRuns(text);
  if (found.length === 0) return found;
  // Bank accounts and identifiers only take numbers away, so they are looked for in suspicious texts only.
  const searched = withoutIbans(text).replace(UUID, (uuid) => 'x'.repeat(uuid.length));
  return searched === text ? found : searchRuns(searched);
}

/** The Luhn check (ISO/IEC 7812-1, annex B) over a string of digits. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48;
    const doubled = digit * 2;
    sum += index % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** Goes through the runs of digits with at most one separator between two of them; most texts have no long one and end here. */
function searchRuns(text: string): CardNumberSpan[] {
  const found: CardNumberSpan[] = [];
  let at = 0;
  while (at < text.length) {
    if (!isDigit(text.charCodeAt(at))) {
      at += 1;
      continue;
    }
    const start = at;
    let digits = 0;
    while (at < text.length) {
      const unit = text.charCodeAt(at);
      if (isDigit(unit)) digits += 1;
      else if (!isSeparator(unit) || !isDigit(text.charCodeAt(at + 1))) break;
      at += 1;
    }
    if (digits > room.positions.length) room = makeRoom(digits);
    if (digits >= MIN_DIGITS) collectFromRun(new DigitRun(text, start, at, digits), found);
  }
  return found;
}

/** A card number begins and ends with whole groups: "4242 4242 4242 4242 12 30" is one number and an expiry date. */
function collectFromRun(run: DigitRun, found: CardNumberSpan[]): void {
  let first = 0;
  while (first + MIN_DIGITS <= run.count) {
    const card = run.isBoundary(first) ? LENGTHS_BY_PREFIX[run.prefixAt(first)]!.find((length) => run.isCard(first, length)) : undefined;
    if (card === undefined) {
      first += 1;
    } else {
      found.push(run.span(first, card));
      first += card;
    }
  }
}

/** Where the one run that is being looked at is laid out; used again for the next one, and larger when a longer one comes. */
let room = makeRoom(64);

function makeRoom(digits: number) {
  return { positions: new Int32Array(digits), oddDoubled: new Int32Array(digits + 1), evenDoubled: new Int32Array(digits + 1) };
}

/** The digits of one run, laid out so that every question about a part of it takes the same time: bodies full of digits are an attack. */
class DigitRun {
  private readonly positions = room.positions;
  /** Luhn sums of the digits before each one, with every second digit doubled: the odd ones, and the even ones. */
  private readonly oddDoubled = room.oddDoubled;
  private readonly evenDoubled = room.evenDoubled;

  constructor(private readonly text: string, start: number, end: number, readonly count: number) {
    let index = 0;
    let odd = 0;
    let even = 0;
    for (let at = start; at < end; at += 1) {
      const digit = text.charCodeAt(at) - 48;
      if (digit < 0 || digit > 9) continue;
      const doubled = digit > 4 ? digit * 2 - 9 : digit * 2;
      this.positions[index] = at;
      odd += index % 2 === 1 ? doubled : digit;
      even += index % 2 === 0 ? doubled : digit;
      index += 1;
      this.oddDoubled[index] = odd;
      this.evenDoubled[index] = even;
    }
  }

  /** Whether a group begins at a digit, or has ended before it. */
  isBoundary(index: number): boolean {
    return index === 0 || index === this.count || this.positions[index] !== this.positions[index - 1]! + 1;
  }

  prefixAt(first: number): number {
    let prefix = 0;
    for (let index = first; index < first + 4; index += 1) prefix = prefix * 10 + this.text.charCodeAt(this.positions[index]!) - 48;
    return prefix;
  }

  isCard(first: number, length: number): boolean {
    const next = first + length;
    if (next > this.count || !this.isBoundary(next)) return false;
    // The last digit counts as it is, the one before it doubled, and so on.
    const sums = (next - 1) % 2 === 0 ? this.oddDoubled : this.evenDoubled;
    return (sums[next]! - sums[first]!) % 10 === 0 && standsAlone(this.text, this.positions[first]!, this.positions[next - 1]! + 1, length);
  }

  span(first: number, length: number): CardNumberSpan {
    const start = this.positions[first]!;
    const end = this.positions[first + length - 1]! + 1;
    return { start, end, digits: this.text.slice(start, end).replace(/[^0-9]/g, '') };
  }
}

/** Spreads the table over all four-digit beginnings, so that a look-up costs the same for every number. Longest first. */
function lengthsByPrefix(): readonly (readonly number[])[] {
  const none: readonly number[] = [];
  const table = Array.from({ length: 10_000 }, () => none);
  for (const { from, to, lengths } of ISSUER_RANGES) {
    const longestFirst = lengths.toReversed();
    const span = 10 ** (4 - String(from).length);
    for (let prefix = from * span; prefix < (to + 1) * span; prefix += 1) {
      const others = table[prefix]!;
      table[prefix] = others === none ? longestFirst : [...new Set([...others, ...lengths])].sort((one, other) => other - one);
    }
  }
  return table;
}

/** No letter or digit touches the number, and it is not one side of a decimal number: amounts must stay whole. */
function standsAlone(text: string, start: number, end: number, digits: number): boolean {
  const before = text.slice(Math.max(0, start - 2), start);
  const after = text.slice(end, end + 2);
  if (/[A-Za-z0-9]$/.test(before) || /^[A-Za-z0-9]/.test(after)) {
    return false;
  }
  const isDecimal = /^[0-9]\.$/.test(before) || /^\.[0-9]$/.test(after);
  return !isDecimal || end - start !== digits;
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

/** A space or a dash, also the no-break spaces and the typographic dashes. */
function isSeparator(unit: number): boolean {
  return unit === 0x20 || unit === 0x2d || unit === 0xa0 || unit === 0x202f || (unit >= 0x2010 && unit <= 0x2015);
}

/** Bank accounts written in groups of four look like card numbers now and then; those that are valid IBANs are passed over. */
function withoutIbans(text: string): string {
  return text.replace(SPACED_IBAN, (iban) => (isIban(iban) ? 'x'.repeat(iban.length) : iban));
}

/** The check of ISO 13616: first four characters to the end, letters as 10 to 35, the whole leaves 1 when divided by 97. */
function isIban(text: string): boolean {
  const compact = text.replaceAll(' ', '');
  let rest = 0;
  for (const character of compact.slice(4) + compact.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}
