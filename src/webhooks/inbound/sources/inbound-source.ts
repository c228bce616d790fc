import type { ProviderEvent } from '../../../platform/providers/provider-event';

/** What arrived, before anything in it is believed. */
export interface SignedDelivery {
  /** The bytes as they came; a body that was parsed and written again has another signature. */
  readonly rawBody: Buffer;
  /** Names in lower case, as Node.js gives them. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The present time in whole seconds since 1970. */
  readonly nowSeconds: number;
  /** More than one while a secret is being rotated; any of them may have signed. */
  readonly secrets: readonly string[];
}

/** Why a delivery is not believed. */
export type VerificationFailure = 'signature_missing' | 'signature_malformed' | 'timestamp_out_of_window' | 'signature_mismatch';

/** Whether a delivery comes from who it says. */
export type Verified = { readonly ok: true } | { readonly ok: false; readonly failure: VerificationFailure };

/** One provider's way of signing and wording its events. */
export interface InboundSource {
  /** The last part of the path that its events are sent to. */
  readonly name: string;
  /** Checks the signature and its age. Whatever the sender puts into the headers, this answers and never throws. */
  verify(delivery: SignedDelivery): Verified;
  /** Where in a body stand the names and amounts that an event is known and counted by: they are stored as they came. */
  readonly keptFields: readonly (readonly string[])[];
  /** Reads a body whose signature has been checked. Throws MalformedEventError. */
  parse(rawBody: Buffer): ProviderEvent;
}
