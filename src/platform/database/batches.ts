import type { UnitOfWork } from './unit-of-work';

/** Repeats a batch until it was not full. Small transactions: no caller waits for them, and two instances never wait for each other. */
export async function untilDone(size: number, batch: () => Promise<number>): Promise<void> {
  while ((await batch()) === size);
}

/** Deletes in batches by a statement whose last parameter is their size and which answers how many rows are `gone`. */
export function deleteInBatches(unitOfWork: UnitOfWork, text: string, size: number, ...values: readonly unknown[]): Promise<void> {
  return untilDone(size, async () => (await unitOfWork.once<{ gone: number }>({ text, values: [...values, size] }))[0].gone);
}
