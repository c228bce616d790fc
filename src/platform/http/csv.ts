const NUMBER = /^-?\d+(\.\d+)?$/;
/** Spreadsheets take a cell that begins like this for a formula. https://owasp.org/www-community/attacks/CSV_Injection */
const FORMULA_START = /^[=+\-@\t\r]/;
const NEEDS_QUOTES = /[",\r\n]/;

/**
 * One line of a CSV file as RFC 4180 has it, with its CRLF. Text that a spreadsheet would run as a formula gets a leading
 * apostrophe; a number, also a negative one, stays a number.
 */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(value: string): string {
  const text = FORMULA_START.test(value) && !NUMBER.test(value) ? `'${value}` : value;
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Whether an `Accept` header asks for CSV rather than JSON (RFC 9110, section 12.5.1): it gives CSV the higher quality or, at
 * the same quality, names it more exactly. Without the header, or when it names neither, the answer is JSON.
 */
export function prefersCsv(accept: string | undefined): boolean {
  const csv = preferenceFor('text/csv', accept);
  const json = preferenceFor('application/json', accept);
  return csv.quality > json.quality || (csv.quality === json.quality && csv.quality > 0 && csv.exactness > json.exactness);
}

/** The most exact range that covers a media type decides its quality. */
function preferenceFor(type: string, accept = ''): { quality: number; exactness: number } {
  const ranges = ['*/*', `${type.split('/', 1)[0]}/*`, type];
  let best = { quality: 0, exactness: -1 };
  for (const part of accept.toLowerCase().split(',')) {
    const [range, ...parameters] = part.split(';').map((piece) => piece.trim());
    const exactness = ranges.indexOf(range!);
    const given = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    const quality = given === undefined ? 1 : Number.parseFloat(given) || 0;
    if (exactness > best.exactness) best = { quality, exactness };
  }
  return best;
}
