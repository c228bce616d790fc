import { csvLine, prefersCsv } from './csv';

describe('csvLine', () => {
  it('quotes what RFC 4180 asks to be quoted and ends with CRLF', () => {
    expect(csvLine(['plain', 'a,b', 'say "so"', 'two\nlines', ''])).toBe('plain,"a,b","say ""so""","two\nlines",\r\n');
  });

  it.each([
    ['=1+1', "'=1+1"], ['+SUM(A1)', "'+SUM(A1)"], ['-cmd', "'-cmd"], ['@name', "'@name"], ['\tx', "'\tx"], ['\rx', '"\'\rx"'],
    ['=A1,B1', '"\'=A1,B1"'], ['-1+1', "'-1+1"], ['-', "'-"],
  ])('makes the formula %j harmless', (value, written) => {
    expect(csvLine([value])).toBe(`${written}\r\n`);
  });

  it.each(['-0.50', '-12', '25.00', 'pay_1', 'a=b', ''])('leaves %j as it is', (value) => {
    expect(csvLine([value])).toBe(`${value}\r\n`);
  });
});

describe('prefersCsv', () => {
  it.each([
    'text/csv', 'TEXT/CSV; charset=utf-8', 'text/csv, */*', 'text/csv, application/json;q=0.9', 'application/json;q=0.2, text/*;q=0.3',
  ])('answers CSV to %j', (accept) => expect(prefersCsv(accept)).toBe(true));

  it.each([
    undefined, '', '*/*', 'application/json', 'application/json, text/csv', 'text/html', 'text/csv;q=0', 'text/csv;q=x',
    'text/csv;q=0.1, application/json', 'text/*, application/json', 'garbage;;,,q=',
  ])('answers JSON to %j', (accept) => expect(prefersCsv(accept)).toBe(false));
});
