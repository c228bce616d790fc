import { containsCardNumber, MASKED, maskCardNumbers } from '../../platform/security/crypto/masking';

/** Twelve digits, perhaps with something between, or an escape behind which digits may hide: all others are kept without parsing. */
const SUSPICIOUS = /(?:[0-9][ \-\u0080-\uffff]?){12}|\\u/;
/** Deeper than anything that a source reads. */
const MAX_DEPTH = 32;

/**
 * An event's JSON text as it may be stored: every card number in a text, a name or a number is masked, for example in a description that
 * a payer wrote. The fields at `kept` stay as they came: they are what the event is known and counted by, and two ids that differ must not
 * become one. A text without card numbers is answered unchanged, byte for byte.
 */
export function withoutCardNumbers(json: string, kept: readonly (readonly string[])[]): string {
  if (!SUSPICIOUS.test(json)) return json;
  const isKept = (path: readonly string[]) =>
    kept.some((field) => field.length === path.length && field.every((name, at) => name === path[at]));
  let found = false;
  const noted = <T>(value: T): T => {
    found = true;
    return value;
  };
  const copy = (value: unknown, path: readonly string[]): unknown => {
    if (typeof value === 'string') return containsCardNumber(value) && !isKept(path) ? noted(maskCardNumbers(value)) : value;
    if (typeof value === 'number') return mayBeCardNumber(value) && !isKept(path) ? noted(MASKED) : value;
    if (value === null || typeof value !== 'object') return value;
    if (path.length >= MAX_DEPTH) return noted(MASKED);
    if (Array.isArray(value)) return value.map((item, at) => copy(item, [...path, String(at)]));
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [
      containsCardNumber(name) ? noted(maskCardNumbers(name)) : name, copy(member, [...path, name]),
    ]));
  };
  const copied = copy(JSON.parse(json), []);
  return found ? JSON.stringify(copied) : json;
}

/** Parsing has taken digits from the largest whole numbers, so that nobody can tell any more. */
function mayBeCardNumber(value: number): boolean {
  return Number.isInteger(value) && (!Number.isSafeInteger(value) || containsCardNumber(String(value)));
}
