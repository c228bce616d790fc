import type { CurrencyCode } from '../../money/currency';

/** What is known of a payment when it is asked for. The payer is as the merchant tells it; never the merchant's own server. */
export interface PaymentFacts {
  clientId: string;
  livemode: boolean;
  amountMinor: bigint;
  currency: CurrencyCode;
  customer?: string;
  ip?: string;
  /** What the address is counted by, see networkOf. */
  network?: string;
  email?: string;
  /** As the payer gave it, and by the country database. */
  country?: string;
  ipCountry?: string;
}

/** What of a payer is counted: the customer, the network of the address, the domain of the e-mail. */
export interface Payer {
  customer?: string;
  network?: string;
  domain?: string;
}

/** By what a payer is counted. */
export function payerOf({ customer, network, email }: PaymentFacts): Payer {
  return { customer, network, domain: domainOf(email) };
}

/** The part behind the @, which a whole company or a disposable service shares. */
export function domainOf(email: string | undefined): string | undefined {
  return email?.slice(email.lastIndexOf('@') + 1).toLowerCase();
}
