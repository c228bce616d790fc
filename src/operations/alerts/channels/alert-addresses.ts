/** Where the services are that have one address for everybody. Tests put their own here. */
export interface AlertAddresses {
  pagerDuty: string;
  telegram: string;
}

export const ALERT_ADDRESSES: unique symbol = Symbol('ALERT_ADDRESSES');

/** https://developer.pagerduty.com/docs/events-api-v2 and https://core.telegram.org/bots/api#making-requests */
export function publicAddresses(): AlertAddresses {
  return { pagerDuty: 'https://events.pagerduty.com', telegram: 'https://api.telegram.org' };
}
