/** Checks and uses up second factors; the auth room registers itself here. */
export interface SecondFactor {
  /**
   * Checks a code of the signed-in person and marks the session as fresh. Each code counts once. Throws Problem `two_factor_invalid`,
   * or `rate_limited` after too many failures.
   */
  confirm(code: string): Promise<void>;
}
export const SECOND_FACTOR = Symbol('SECOND_FACTOR');
