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

/** Digits between two separators: where they stand in the text, and after how many digits of their run. */
interface DigitGroup {
  readonly start: number;
  readonly end: number;
  readonly digitsBefore: number;
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
const MAX_DIGITS = 19;

/** Runs of digits with at most one space or dash between two of them, also the no-break space and the typographic dashes. */
const DIGIT_RUN = /[0-9](?:[ \u00a0\u202f\-\u2010-\u2015]?[0-9])+/g;
const SPACED_IBAN = /(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?(?![A-Za-z0-9])/g;

/** All card numbers in a text, from left to right, never overlapping. Takes time linear in the length of the text. */
export function findCardNumbers(text: string): CardNumberSpan[] {
  const found: CardNumberSpan[] = [];
  const searched = withoutIbans(text);
  for (const run of searched.matchAll(DIGIT_RUN)) {
    if (run[0].length >= MIN_DIGITS) {
      collectFromRun(searched, groupsOf(run[0], run.index), run[0].replace(/[^0-9]/g, ''), found);
    }
  }
  return found;
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

/** A card number begins and ends with whole groups: "4242 4242 4242 4242 12 30" is one number and an expiry date. */
function collectFromRun(text: string, groups: readonly DigitGroup[], runDigits: string, found: CardNumberSpan[]): void {
  let first = 0;
  while (first < groups.length) {
    const last = lastGroupOfCard(text, groups, runDigits, first);
    if (last === -1) {
      first += 1;
      continue;
    }
    const { start, digitsBefore } = groups[first]!;
    const { end } = groups[last]!;
    found.push({ start, end, digits: runDigits.slice(digitsBefore, digitsUpTo(groups[last]!)) });
    first = last + 1;
  }
}

/** The longest card number that begins with the given group, or -1. Cheap tests stand first: bodies full of digits are an attack. */
function lastGroupOfCard(text: string, groups: readonly DigitGroup[], runDigits: string, first: number): number {
  const { digitsBefore } = groups[first]!;
  const lengths = LENGTHS_BY_PREFIX[Number(runDigits.slice(digitsBefore, digitsBefore + 4))]!;
  let best = -1;
  for (let last = first; lengths.size > 0 && last < groups.length; last += 1) {
    const end = digitsUpTo(groups[last]!);
    if (end - digitsBefore > MAX_DIGITS) {
      break;
    }
    const isCard = lengths.has(end - digitsBefore) && passesLuhn(runDigits.slice(digitsBefore, end));
    if (isCard && standsAlone(text, groups[first]!, groups[last]!)) {
      best = last;
    }
  }
  return best;
}

/** Spreads the table over all four-digit beginnings, so that a look-up costs the same for every number. */
function lengthsByPrefix(): readonly ReadonlySet<number>[] {
  return Array.from({ length: 10_000 }, (_, prefix) => {
    const leading = String(prefix).padStart(4, '0');
    const matching = ISSUER_RANGES.filter(({ from, to }) => {
      const start = Number(leading.slice(0, String(from).length));
      return start >= from && start <= to;
    });
    return new Set(matching.flatMap(({ lengths }) => lengths));
  });
}

/** No letter or digit touches the number, and it is not one side of a decimal number: amounts must stay whole. */
function standsAlone(text: string, first: DigitGroup, last: DigitGroup): boolean {
  const before = text.slice(Math.max(0, first.start - 2), first.start);
  const after = text.slice(last.end, last.end + 2);
  if (/[A-Za-z0-9]$/.test(before) || /^[A-Za-z0-9]/.test(after)) {
    return false;
  }
  const isDecimal = /^[0-9]\.$/.test(before) || /^\.[0-9]$/.test(after);
  return first !== last || !isDecimal;
}

function groupsOf(run: string, runStart: number): DigitGroup[] {
  let digitsBefore = 0;
  return Array.from(run.matchAll(/[0-9]+/g), (group) => {
    const start = runStart + group.index;
    const found = { start, end: start + group[0].length, digitsBefore };
    digitsBefore += group[0].length;
    return found;
  });
}

function digitsUpTo(group: DigitGroup): number {
  return group.digitsBefore + group.end - group.start;
}

/** Bank accounts written in groups of four look like card numbers now and then; those that are valid IBANs are passed over. */
function withoutIbans(text: string): string {
  return text.replace(SPACED_IBAN, (iban) => (isIban(iban) ? 'x'.repeat(iban.length) : iban));
}

/** The check of ISO 13616: first four characters to the end, letters as 10 to 35, the whole leaves 1 when divided by 97. */
function isIban(text: string): boolean {
  const compact = text.replaceAll(' ', '');
  const digits = (compact.slice(4) + compact.slice(0, 4)).replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  return BigInt(digits) % 97n === 1n;
}
