import { aucRoc, averagePrecision, cardPrecision } from './metrics';

const labelled = (...pairs: [score: number, isFraud: number][]) => pairs.map(([score, fraud]) => ({ score, isFraud: fraud === 1 }));

describe('the area under the ROC curve', () => {
  it.each([
    ['all in order', labelled([0.9, 1], [0.8, 1], [0.2, 0], [0.1, 0]), 1],
    ['all the wrong way round', labelled([0.9, 0], [0.1, 1]), 0],
    // Pairs of fraud and honest: 0.8 beats 0.7 and 0.4; 0.5 beats 0.4 only.
    ['three of four pairs', labelled([0.8, 1], [0.7, 0], [0.5, 1], [0.4, 0]), 3 / 4],
    ['ties, which count half', labelled([0.5, 1], [0.5, 0], [0.5, 0], [0.1, 0]), (1 / 2 + 1 / 2 + 1) / 3],
    ['one score for all', labelled([0, 1], [0, 0], [0, 1], [0, 0]), 1 / 2],
  ])('of %s', (_, scored, area) => {
    expect(aucRoc(scored)).toBeCloseTo(area, 12);
  });
});

describe('average precision', () => {
  it.each([
    ['all in order', labelled([3, 1], [2, 1], [1, 0]), 1],
    ['frauds in first, third and fourth place', labelled([9, 1], [8, 0], [7, 1], [6, 1], [5, 0]), (1 + 2 / 3 + 3 / 4) / 3],
    // Both frauds are reached at once with the first honest one: two of three.
    ['a tie', labelled([5, 1], [5, 0], [5, 1], [1, 0]), 2 / 3],
  ])('of %s', (_, scored, precision) => {
    expect(averagePrecision(scored)).toBeCloseTo(precision, 12);
  });
});

describe('card precision', () => {
  const row = (day: number, customer: string, score: number, fraud: number) => ({ day, customer, score, isFraud: fraud === 1 });

  it('counts a customer once a day, by the highest score, whichever payment was the fraud', () => {
    expect(cardPrecision([row(1, 'a', 0.9, 0), row(1, 'a', 0.1, 1), row(1, 'b', 0.8, 0), row(1, 'c', 0.7, 1)], 2)).toBe(1 / 2);
  });

  it('leaves those who were found out of the following days, and nobody else', () => {
    const rows = [
      row(1, 'a', 0.9, 1), row(1, 'b', 0.8, 0), row(1, 'c', 0.1, 1),
      // Without a, both c and b are looked at.
      row(2, 'a', 0.9, 1), row(2, 'b', 0.8, 0), row(2, 'c', 0.7, 1),
      row(3, 'c', 0.9, 1), row(3, 'b', 0.1, 0),
    ];
    expect(cardPrecision(rows, 2)).toBeCloseTo((1 / 2 + 1 / 2 + 0) / 3, 12);
  });

  it('divides by all who could have been looked at', () => {
    expect(cardPrecision([row(1, 'a', 1, 1)], 100)).toBe(0.01);
  });
});
