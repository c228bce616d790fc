/** What is assessed. */
export const SUBJECTS = ['payment', 'withdrawal', 'refund', 'login', 'activation'] as const;
export type Subject = (typeof SUBJECTS)[number];

/** The rolling windows of counters. */
export const WINDOWS = ['10m', '1h', '24h', '30d'] as const;
export type Window = (typeof WINDOWS)[number];
export const WINDOW_TEXTS: Readonly<Record<Window, string>> = { '10m': '10 min', '1h': 'the last hour', '24h': 'the last day', '30d': '30 days' };
export const WINDOW_SECONDS: Readonly<Record<Window, number>> = { '10m': 600, '1h': 3600, '24h': 86_400, '30d': 2_592_000 };

/** The value of a signal; null where it is not known, and no condition on it holds. */
export type SignalValue = number | boolean | string | null;
/** How often something was seen in each window, and then what is usual there: null where nobody can tell, absent where nothing is. */
export type CounterSignal = readonly (number | null)[];
/**
 * What was seen, by name. Counters are kept as one value for all windows; a single one is named by its window, as in `ip_payments_10m`,
 * and what is usual for it by `_usual` behind that. Names of figures that stand alone are made in the same way. Undefined is absent: what has
 * always the same names is made, and written as JSON, several times as fast.
 */
export type Signals = Readonly<Record<string, SignalValue | CounterSignal | undefined>>;

/** A signal as rules can use it. */
export interface SignalKind {
  subjects: readonly Subject[];
  kind: 'number' | 'flag' | 'text';
  /** For counters. */
  windows?: readonly Window[];
  /** It has a usual value of its own. */
  usual?: true;
  means: string;
}

const PAY = ['payment', 'activation'] as const;
const counter = (subjects: readonly Subject[], means: string, windows: readonly Window[] = WINDOWS): SignalKind =>
  ({ subjects, kind: 'number', windows, usual: true, means });
const number = (subjects: readonly Subject[], means: string): SignalKind => ({ subjects, kind: 'number', means });
const flag = (subjects: readonly Subject[], means: string): SignalKind => ({ subjects, kind: 'flag', means });
const AMOUNTS = ['payment', 'withdrawal', 'refund', 'activation'] as const;

/** Every signal that a rule can name. Texts, which only reasons show, stand beside them in an assessment. */
export const SIGNALS: Readonly<Record<string, SignalKind>> = {
  block_list: flag(SUBJECTS, 'Something of it stands on a block list.'),
  allow_list: flag(SUBJECTS, 'Something of it stands on an allow list.'),
  guard_block: flag(PAY, 'Its card, customer or IP has failed too often and is stopped for a time.'),
  client_payments: counter(PAY, 'Payments of the client, to the minute, hour or day.'),
  customer_payments: counter(PAY, 'Payments of the customer at this client. At most 200 are counted.'),
  ip_payments: counter(PAY, "Payments from the payer's IP at this client. At most 200 are counted."),
  email_domain_payments: counter(PAY, "Payments with the domain of the payer's e-mail at this client, to the minute, hour or day."),
  ip_customers: counter(PAY, 'Different customers behind those payments.', ['10m']),
  ip_failures: counter(PAY, "Failed payments from the payer's IP."),
  customer_failures: counter(PAY, 'Failed payments of the customer.'),
  ip_small_payments: counter(PAY, "Small payments (up to 5 units of money) from the payer's IP.", ['1h']),
  small_payments: counter(['payment', 'withdrawal'], 'Small payments (up to 5 units of money) of the client.', ['1h']),
  amount_units: number(AMOUNTS, 'The amount in whole units of its currency.'),
  amount_times_usual: number(AMOUNTS, "The amount beside the mean of the client's own history in this currency; from three on."),
  amount_times_largest: number(AMOUNTS, 'The amount beside the largest of that history.'),
  customer_amount_times_usual: number(PAY, "The amount beside the mean of the customer's own payments; from three on."),
  earlier: number(AMOUNTS, 'How many of its kind have come to a good end before, in this currency.'),
  round_amount: flag(PAY, 'The amount is a multiple of 100 units.'),
  hour_share: number(PAY, "How much of the client's payments falls into this hour of the day, 0 to 1; from 100 payments on."),
  country_mismatch: flag(PAY, 'The country of the IP is not the one that was given. Needs a country database.'),
  country_change: flag([...PAY, 'login', 'withdrawal'], 'Another country than the last time. Needs a country database.'),
  failed_logins: counter([...PAY, 'withdrawal', 'login'], 'Failed logins from the IP.'),
  days_since_deposit: number(['withdrawal'], 'Days since money last came in.'),
  never_deposited: flag(['withdrawal'], 'No money ever came in.'),
  withdrawals: counter(['withdrawal'], 'Withdrawals of the client, this one included.', ['1h', '24h']),
  destination_withdrawals: counter(['withdrawal'], 'Withdrawals to this destination.'),
  destination_new: flag(['withdrawal'], 'Nothing was ever paid to the destination, and it is younger than three days.'),
  destination_unused: flag(['withdrawal'], 'Nothing was ever paid to the destination, though it is older than that.'),
  hours_since_credential_change: number(['withdrawal'], 'Hours since a password, e-mail or second factor of the client was changed or a key rotated.'),
  destination_after_change: flag(['withdrawal'], 'The destination was saved after that change.'),
  ip_unknown: flag(['withdrawal', 'login'], 'The caller comes from an IP that was never seen before, though others were.'),
  amount_times_payment: number(['withdrawal'], "The amount beside the mean of the client's payments of the last 30 days."),
  whole_payment: flag(['refund'], 'All that was received is given back.'),
  minutes_since_paid: number(['refund'], 'Minutes since the payment was paid.'),
  refunds: counter(['refund'], 'Refunds of the client, this one included.', ['1h']),
  refunds_per_payment: number(['refund'], 'Refunds beside payments of the last hour.'),
  account_failures: counter(['login'], 'Failed logins at the account.', ['10m', '1h', '24h']),
  device_unknown: flag(['login'], 'The device has not logged in there before.'),
};

const PLACES: Readonly<Record<string, number>> = Object.fromEntries(WINDOWS.map((window, at) => [window, at]));

/** The value of a signal, in a window where it counts over time; null where it is not known. */
export function valueOf(signals: Signals, signal: string, window?: Window): SignalValue {
  const value = signals[signal];
  if (Array.isArray(value)) return (value as CounterSignal)[PLACES[window!]!] ?? null;
  return (signals[window ? `${signal}_${window}` : signal] as SignalValue | undefined) ?? null;
}

/** What is usual for it; null where it is not known. */
export function usualOf(signals: Signals, signal: string, window?: Window): SignalValue {
  const value = signals[signal];
  if (!Array.isArray(value)) return valueOf(signals, `${signal}${window ? `_${window}` : ''}_usual`);
  const usual = (value as CounterSignal)[WINDOWS.length + PLACES[window!]!];
  return usual === undefined ? 0 : usual;
}

/** Every figure by a name of its own, as people read them. */
export function flatSignals(signals: Signals): Readonly<Record<string, SignalValue>> {
  return Object.fromEntries(Object.entries(signals).filter(([, value]) => value !== undefined).flatMap(([name, value]) => (
    Array.isArray(value)
      ? WINDOWS.flatMap((window) => [[`${name}_${window}`, valueOf(signals, name, window)], [`${name}_${window}_usual`, usualOf(signals, name, window)]])
      : [[name, value as SignalValue]])));
}
