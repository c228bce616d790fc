export type Severity = 'low' | 'medium' | 'high' | 'critical';

/** Something that the security log keeps: what looked wrong, how grave it is, where it came from and what was done about it. */
export interface SecurityEvent {
  kind: string;
  severity: Severity;
  /** Where it came from: an address, a key, a person, an endpoint. Together with the kind and the minute it is one row. */
  source: string;
  clientId?: string;
  actorId?: string;
  route?: string;
  userAgent?: string;
  /** What the gateway did about it. */
  action: string;
  details?: object;
}

/** Where the platform tells what looked wrong; the audit room keeps it. Never throws; a flood of one kind costs one row a minute. */
export interface SecurityEvents {
  write(event: SecurityEvent): Promise<void>;
}
export const SECURITY_EVENTS = Symbol('SECURITY_EVENTS');
