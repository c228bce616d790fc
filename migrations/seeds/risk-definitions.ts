/** A rule, guard or threshold as the first version of it is written. */
interface Definition {
  kind: 'rule' | 'guard' | 'threshold';
  name: string;
  body: Readonly<Record<string, unknown>>;
}

type Body = Readonly<Record<string, unknown>>;
type When = readonly Body[];

const rule = (subject: string, name: string, when: When, effect: Body, reason: string): Definition => ({
  kind: 'rule', name, body: { subject, mode: 'active', when, ...effect, reason },
});
const guard = (name: string, failures: number, windowSeconds: number, blockSeconds: number, reason: string): Definition => ({
  kind: 'guard', name, body: { mode: 'active', failures, window_seconds: windowSeconds, block_seconds: blockSeconds, reason },
});
const threshold = (name: string, softLimit: number): Definition => ({
  kind: 'threshold', name, body: { review_from: 0.5, block_from: 0.8, soft_limit: softLimit },
});
const yes = (signal: string) => ({ signal, is: true });
const SUBJECTS = ['payment', 'withdrawal', 'refund', 'login', 'activation'];

/** Whatever the score: what stands on a list. */
const LISTS = SUBJECTS.flatMap((subject) => [
  rule(subject, `${subject}_block_list`, [yes('block_list')], { verdict: 'block' }, '{block_list_reason}'),
  rule(subject, `${subject}_allow_list`, [yes('allow_list')], { verdict: 'allow' }, '{allow_list_reason}'),
]);

/** An amount beside its own history; the first two exclude each other. */
const amounts = (subject: string, scores: readonly [number, number, number]) => [
  rule(subject, `${subject}_amount_very_unusual`, [{ signal: 'amount_times_usual', at_least: 10 }], { score: scores[0] },
    '{times_usual} times the usual amount ({amount} {currency}; usual {usual_amount})'),
  rule(subject, `${subject}_amount_unusual`, [{ signal: 'amount_times_usual', at_least: 3, below: 10 }], { score: scores[1] },
    '{times_usual} times the usual amount ({amount} {currency}; usual {usual_amount})'),
  rule(subject, `${subject}_amount_twice_largest`, [{ signal: 'amount_times_largest', at_least: 2 }], { score: scores[2] },
    'at least twice the largest before ({largest_amount} {currency})'),
];

/** Many payments are suspicious when few customers make them; a shared address makes many with as many customers, and few fail. */
const PAYMENTS = ['payment', 'activation'].flatMap((subject) => [
  rule(subject, `${subject}_card_testing`, [yes('guard_block')], { verdict: 'block' }, '{guard_reason}'),
  rule(subject, `${subject}_ip_velocity`,
    [{ signal: 'ip_payments', window: '10m', at_least: 6, times_usual: 4 }, { signal: 'ip_customers', window: '10m', at_most: 2 }],
    { score: 0.3 }, '{value} payments from this IP in {window}, usual {usual}'),
  rule(subject, `${subject}_ip_shared`,
    [{ signal: 'ip_payments', window: '10m', at_least: 6, times_usual: 4 }, { signal: 'ip_customers', window: '10m', above: 2 }],
    { score: 0.05 }, '{value} payments of {ip_customers_10m} customers from this IP in {window}'),
  rule(subject, `${subject}_customer_velocity`, [{ signal: 'customer_payments', window: '10m', at_least: 5, times_usual: 4 }], { score: 0.25 },
    '{value} payments of this customer in {window}, usual {usual}'),
  rule(subject, `${subject}_email_domain_velocity`, [{ signal: 'email_domain_payments', window: '10m', at_least: 15, times_usual: 4 }], { score: 0.1 },
    '{value} payments with this e-mail domain in {window}, usual {usual}'),
  rule(subject, `${subject}_client_velocity`, [{ signal: 'client_payments', window: '10m', at_least: 100, times_usual: 5 }], { score: 0.05 },
    '{value} payments of the client in {window}, usual {usual}'),
  rule(subject, `${subject}_ip_failures`, [{ signal: 'ip_failures', window: '1h', at_least: 3 }], { score: 0.25 },
    '{value} failed payments from this IP in {window}'),
  rule(subject, `${subject}_customer_failures`, [{ signal: 'customer_failures', window: '1h', at_least: 3 }], { score: 0.25 },
    '{value} failed payments of this customer in {window}'),
  rule(subject, `${subject}_many_small`, [{ signal: 'ip_small_payments', window: '1h', at_least: 10 }, { signal: 'ip_customers', window: '10m', at_most: 2 }],
    { score: 0.25 }, '{value} small payments from this IP in {window}'),
  ...amounts(subject, [0.25, 0.1, 0.1]),
  rule(subject, `${subject}_customer_amount`, [{ signal: 'customer_amount_times_usual', at_least: 5 }], { score: 0.25 },
    "{value} times this customer's usual amount ({amount} {currency}; usual {customer_usual_amount})"),
  rule(subject, `${subject}_first_large`, [{ signal: 'earlier', at_most: 0 }, { signal: 'amount_units', at_least: 1000 }], { score: 0.2 },
    'the first {subject}, and a large one ({amount} {currency})'),
  rule(subject, `${subject}_round_amount`, [yes('round_amount'), { signal: 'amount_units', at_least: 500 }, { signal: 'earlier', at_most: 2 }], { score: 0.05 },
    'a round amount ({amount} {currency})'),
  rule(subject, `${subject}_unusual_hour`, [{ signal: 'hour_share', below: 0.005 }], { score: 0.1 },
    'an hour of the day in which this client has hardly any payments ({hour_percent} % of them)'),
  rule(subject, `${subject}_country_mismatch`, [yes('country_mismatch')], { score: 0.2 }, 'the IP is in {ip_country}, the payer said {payer_country}'),
  rule(subject, `${subject}_country_change`, [yes('country_change')], { score: 0.2 }, 'from {ip_country}, the last time from {last_country}'),
  rule(subject, `${subject}_failed_logins`, [{ signal: 'failed_logins', window: '10m', at_least: 5 }], { score: 0.2 }, '{value} failed logins from this IP in {window}'),
]);

const WITHDRAWALS = [
  rule('withdrawal', 'withdrawal_no_recent_deposit', [{ signal: 'days_since_deposit', above: 7 }], { score: 0.35 }, 'no deposit in the last 7 days'),
  rule('withdrawal', 'withdrawal_never_deposited', [yes('never_deposited')], { score: 0.35 }, 'there was never a deposit'),
  ...amounts('withdrawal', [0.45, 0.25, 0.1]),
  rule('withdrawal', 'withdrawal_hourly', [{ signal: 'withdrawals', window: '1h', at_least: 5, times_usual: 4 }], { score: 0.15 },
    '{value} withdrawals in {window}, usual {usual}'),
  rule('withdrawal', 'withdrawal_daily', [{ signal: 'withdrawals', window: '24h', at_least: 10, times_usual: 4 }], { score: 0.1 },
    '{value} withdrawals in {window}, usual {usual}'),
  rule('withdrawal', 'withdrawal_new_destination', [yes('destination_new')], { score: 0.1 }, 'destination is {destination_age} old'),
  rule('withdrawal', 'withdrawal_unused_destination', [yes('destination_unused'), { signal: 'earlier', at_least: 1 }], { score: 0.05 },
    'first withdrawal to this destination'),
  rule('withdrawal', 'withdrawal_first', [{ signal: 'earlier', at_most: 0 }], { score: 0.1 }, 'first withdrawal'),
  rule('withdrawal', 'withdrawal_after_change', [yes('destination_after_change'), { signal: 'hours_since_credential_change', below: 168 }, yes('destination_new')],
    { score: 0.45 }, 'to a destination that was saved after a {credential_change} of {credential_change_age} ago'),
  rule('withdrawal', 'withdrawal_recent_change', [{ signal: 'hours_since_credential_change', below: 72 }], { score: 0.1 },
    '{credential_change} {credential_change_age} ago'),
  rule('withdrawal', 'withdrawal_unknown_ip', [yes('ip_unknown')], { score: 0.1 }, 'asked for from an IP that was never seen before'),
  rule('withdrawal', 'withdrawal_country_change', [yes('country_change')], { score: 0.2 }, 'asked for from {ip_country}, the last time from {last_country}'),
  rule('withdrawal', 'withdrawal_after_small_payments', [{ signal: 'small_payments', window: '1h', at_least: 10 }, { signal: 'amount_times_payment', at_least: 10 }],
    { score: 0.4 }, '{value} small payments in {window}, then {amount_times_payment} times their usual amount withdrawn'),
  rule('withdrawal', 'withdrawal_failed_logins', [{ signal: 'failed_logins', window: '10m', at_least: 5 }], { score: 0.2 },
    '{value} failed logins from this IP in {window}'),
  rule('withdrawal', 'withdrawal_destination_velocity', 
    [{ signal: 'destination_withdrawals', window: '24h', at_least: 20, times_usual: 4 }, { signal: 'earlier', at_least: 1 }], { score: 0.1 },
    '{value} withdrawals to this destination in {window}, usual {usual}'),
];

const REFUNDS = [
  rule('refund', 'refund_whole_at_once', [yes('whole_payment'), { signal: 'minutes_since_paid', below: 10 }], { score: 0.2 },
    'whole payment given back {paid_ago} after it was paid'),
  rule('refund', 'refund_many', [{ signal: 'refunds', window: '1h', at_least: 5 }, { signal: 'refunds_per_payment', at_least: 0.5 }], { score: 0.25 },
    '{value|refund} in {window} against {payments_1h|payment}'),
  ...amounts('refund', [0.45, 0.25, 0.1]),
];

const LOGINS = [
  rule('login', 'login_failed_from_ip', [{ signal: 'failed_logins', window: '10m', at_least: 5 }], { score: 0.3 }, '{value} failed logins from this IP in {window}'),
  rule('login', 'login_failed_at_account', [{ signal: 'account_failures', window: '10m', at_least: 5 }], { score: 0.3 },
    '{value} failed logins at this account in {window}'),
  rule('login', 'login_unknown_device', [yes('device_unknown'), yes('ip_unknown')], { score: 0.15 }, 'a device and an IP that were never seen before'),
  rule('login', 'login_country_change', [yes('country_change')], { score: 0.35 }, 'from {ip_country}, the last time from {last_country}'),
];

const GUARDS = [
  guard('card_ip', 3, 600, 3600, '%s failed payments with this card from this IP in %s min'),
  guard('customer', 5, 600, 3600, '%s failed payments of this customer in %s min'),
  guard('ip', 10, 600, 1800, '%s failed payments from this IP in %s min'),
];

const THRESHOLDS = [
  threshold('payment', 1), threshold('activation', 1), threshold('withdrawal', 0.79), threshold('refund', 0.79), threshold('login', 0.79),
];

/** Everything that the fraud detection starts with. Operators change it at run time; these first versions stay as they are. */
export const RISK_DEFINITIONS: readonly Definition[] = [
  ...LISTS, ...PAYMENTS, ...WITHDRAWALS, ...REFUNDS, ...LOGINS, ...GUARDS, ...THRESHOLDS,
];
