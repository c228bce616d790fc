/** The stored answer of an earlier request with the same key: not a failure, but the way it leaves a handler half-way. */
export class IdempotentReplay extends Error {
  constructor(
    readonly status: number,
    readonly body: string,
  ) {
    super('this request was answered before');
    this.name = 'IdempotentReplay';
  }
}
