import { descriptionOf, duration, subjectOf, textOf, titleOf } from './alert-words';
import type { AlertObject } from './alerts.dto';
import type { AlertMessage } from './channels/alert-channel';
import type { AlertRule } from './rules/alert-rule';

function rule(change: Partial<AlertRule> = {}): AlertRule {
  return {
    name: 'failed_logins', what: 'failed logins', measure: 'security_events', kinds: ['login.failed'], severities: [], grouped_by: 'all',
    threshold: 50, at_least: 1, window_seconds: 3600, cooldown_seconds: 3600, severity: 'high', channels: [], escalation: null, enabled: true,
    revision: 1, changed_by: null, changed_at: new Date(0), ...change,
  };
}

function message(count: number, change: Partial<AlertObject> = {}): AlertMessage {
  const alerts = Array.from({ length: count }, (_, n) => ({
    id: `alr_${n}`, object: 'alert', rule: 'failed_logins', group: null, severity: n === count - 1 ? 'critical' : 'low', title: `title ${n}`,
    description: 'what happened', figures: {}, count: 1, status: 'open', first_at: '2026-01-31T00:00:00.000Z', last_at: '2026-01-31T00:01:00.000Z',
    raised_at: '2026-01-31T00:01:00.000Z', acknowledged_by: null, acknowledged_at: null, resolved_by: null, resolved_at: null, note: null,
    escalation_level: 0, next_escalation_at: null, ...change,
  }) satisfies AlertObject);
  return { id: 'm', stage: 'trigger', writtenAt: new Date(0), alerts };
}

describe('the words of an alert', () => {
  it.each([
    [rule(), '', '50 failed logins within 1 hour'],
    [rule({ grouped_by: 'source', window_seconds: 300 }), '203.0.113.7', '50 failed logins from 203.0.113.7 within 5 minutes'],
    [rule({ grouped_by: 'actor', window_seconds: 90 }), 'usr_1', '50 failed logins of usr_1 within 90 seconds'],
    [rule({ grouped_by: 'kind', what: 'critical security events' }), 'ledger.fault', '50 critical security events: ledger.fault within 1 hour'],
  ])('say how much of what, from whom, and when: %#', (of, group, title) => {
    expect(titleOf(of, group, { hits: '50', figures: {} })).toBe(title);
  });

  it('give a rate as a rate, and a spike beside what is usual', () => {
    const rate = rule({ measure: 'webhook_failure_rate', what: 'of webhook attempts failed', threshold: 5, at_least: 20 });
    expect(titleOf(rate, '', { hits: '30', figures: { percent: 7.5 } })).toBe('7.5 percent of webhook attempts failed within 1 hour');
    expect(descriptionOf(rate, { hits: '30', figures: { attempts: 400 } }))
      .toBe('30 so far; the alert is raised above 5 percent of at least 20 attempts within 1 hour.\nattempts: 400');
    const spike = rule({ measure: 'sensitive_operations', what: 'sensitive operations', threshold: 5, at_least: 10 });
    expect(titleOf(spike, '', { hits: '15', figures: { usual: 3 } })).toBe('15 sensitive operations within 1 hour, where 3 are usual');
  });

  it('leave out figures that say nothing', () => {
    expect(descriptionOf(rule(), { hits: '51', figures: { kinds: ['login.failed'], sources: 2, last_action: null, others: [] } }))
      .toBe('51 so far; the alert is raised at 50 within 1 hour.\nkinds: login.failed\nsources: 2');
  });

  it('tell ten in full, the gravest first, and name the others', () => {
    const text = textOf(message(12), 10_000);
    expect(text).toMatch(/^12 alerts were raised together\.\n\n\[critical\] title 11\n/);
    expect(text.match(/what happened/g)).toHaveLength(10);
    expect(text).toMatch(/\n\n2 more alerts: alr_9, alr_10$/);
    expect(subjectOf(message(12))).toBe('[critical] title 11 and 11 more alerts');
    expect(subjectOf(message(1))).toBe('[critical] title 0');
  });

  it('fit what a channel takes', () => {
    const text = textOf(message(10, { description: 'a'.repeat(1000) }), 4_000);
    expect(text).toHaveLength(4_000);
    expect(text.endsWith('…')).toBe(true);
  });

  it.each([[3600, '1 hour'], [7200, '2 hours'], [60, '1 minute'], [61, '61 seconds']])('call %i seconds %s', (seconds, words) => {
    expect(duration(seconds)).toBe(words);
  });
});
