import { Inject, Injectable, Logger } from '@nestjs/common';
import { ThrottlerStorage } from '@nestjs/throttler';
import { SecurityLog } from '../audit/security-log';
import { currentContext } from '../platform/http/request-context';
import { Metrics } from '../platform/observability/metrics';
import { AddressBlocker } from '../platform/security/blocks/address-blocker';
import { countedAddress } from '../platform/security/blocks/networks';
import { LOGIN_RISK, type LoginRisk } from '../platform/security/login-risk';
import type { SecurityEvent } from '../platform/security/security-events';
import { isStaff } from '../platform/security/person-rules';
import { sha256Hex } from '../platform/security/crypto/digests';
import type { Person } from './people/person.entity';

const MINUTE_MS = 60_000;

/** How many of what, in which time, is more than a mistake. */
const RULES = {
  failed_logins: { limit: 5, windowMs: 10 * MINUTE_MS, kind: 'suspicious.failed_logins', severity: 'high' },
  failed_second_factors: { limit: 3, windowMs: 5 * MINUTE_MS, kind: 'suspicious.failed_second_factors', severity: 'high' },
  failed_staff_logins: { limit: 5, windowMs: 10 * MINUTE_MS, kind: 'suspicious.failed_staff_logins', severity: 'critical' },
} as const;

/** Notices what honest mistakes do not explain: writes security events, and shuts out who guesses at staff accounts. */
@Injectable()
export class SuspiciousActivity {
  private readonly logger = new Logger(SuspiciousActivity.name);

  constructor(
    @Inject(ThrottlerStorage) private readonly counters: ThrottlerStorage,
    private readonly log: SecurityLog,
    private readonly blocker: AddressBlocker,
    @Inject(LOGIN_RISK) private readonly risk: LoginRisk,
    private readonly metrics: Metrics,
  ) {}

  /** A wrong password, or an e-mail that nobody has. Counted by address and by account. */
  async failedLogin(email: string, person: Pick<Person, 'id' | 'clientId' | 'role'> | undefined): Promise<void> {
    this.metrics.increment('cpgateway_failed_logins_total', { factor: 'password' });
    const source = countedAddress(currentContext().ip);
    await this.write({ kind: 'login.failed', severity: 'medium', source, action: 'refused' }, person);
    const account = person?.id ?? `account ${accountDigest(email)}`;
    await this.flag('failed_logins', source, person);
    await this.flag('failed_logins', account, person);
    await this.risk.failed(account);
    if (person && isStaff(person.role)) await this.failedStaffLogin(person);
  }

  /** A login at a staff account that did not come as far as its password counts as well: five of them shut the address out. */
  async failedStaffLogin(person: Pick<Person, 'id' | 'clientId'>): Promise<void> {
    const { ip } = currentContext();
    if (!(await this.flag('failed_staff_logins', countedAddress(ip), person)) || !ip) return;
    // Whether the block could be written changes nothing of what the caller is told.
    await this.blocker.block(ip, 'staff_logins', 'failed staff logins').catch((error: unknown) => this.logger.error({ err: error, msg: 'could not block an address' }));
  }

  /** A wrong code of somebody whose password was right. */
  async failedSecondFactor(person: Pick<Person, 'id' | 'clientId'>): Promise<void> {
    this.metrics.increment('cpgateway_failed_logins_total', { factor: 'second_factor' });
    await this.write({ kind: 'two_factor.failed', severity: 'medium', source: person.id, action: 'refused' }, person);
    await this.flag('failed_second_factors', person.id, person);
  }

  private async flag(rule: keyof typeof RULES, source: string, person: Pick<Person, 'id' | 'clientId'> | undefined): Promise<boolean> {
    const { limit, windowMs, kind, severity } = RULES[rule];
    const { totalHits, isBlocked } = await this.counters.increment(`${rule}:${source}`, windowMs, limit, 0, rule);
    if (totalHits < limit && !isBlocked) return false;
    await this.write({ kind, severity, source, action: 'flagged', details: { failures: limit, minutes: windowMs / MINUTE_MS } }, person);
    return true;
  }

  private write(event: SecurityEvent, person: Pick<Person, 'id' | 'clientId'> | undefined): Promise<void> {
    const { ip, userAgent, method, route } = currentContext();
    return this.log.write({
      ...event, clientId: person?.clientId ?? undefined, actorId: person?.id, route: `${method} ${route}`, userAgent, details: { ip, ...event.details },
    });
  }
}

/** An account in counters and logs, without its address. */
export function accountDigest(email: string): string {
  return sha256Hex(`account ${email}`).slice(0, 32);
}
