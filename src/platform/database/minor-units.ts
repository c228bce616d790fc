import type { ValueTransformer } from 'typeorm';

/** numeric(38,0) columns are bigint in code: pg hands them over as text, and a JavaScript number would lose digits above 2^53. */
export const minorUnits: ValueTransformer = {
  from: (stored: string | null) => (stored === null ? null : BigInt(stored)),
  to: (value: bigint | null) => value?.toString() ?? null,
};
