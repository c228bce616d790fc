import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../../audit/audit-log';
import { UnitOfWork } from '../../../platform/database/unit-of-work';
import { NotFoundProblem, Problem, ValidationProblem } from '../../../platform/http/problem';
import { currentSession } from '../../../platform/http/request-context';
import { type AlertRule, presentRule } from './alert-rule';
import type { AlertRuleObject, ChangeRuleBody } from './alert-rules.dto';

const UPDATE = `
  with changed as (
    update alert_rules
       set threshold = $2, window_seconds = $3, cooldown_seconds = $4, enabled = $5, channels = $6, escalation = $7,
           revision = revision + 1, changed_by = $8, changed_at = now()
     where name = $1
    returning *
  )
  select * from changed`;

/** Shows the alert rules and changes their figures. Every look reads them, so a change holds on all instances from its commit on. */
@Injectable()
export class ChangeAlertRule {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
  ) {}

  /** All rules; there are few, and all of them matter together. */
  async list(): Promise<{ object: 'list'; data: AlertRuleObject[]; has_more: false }> {
    const rules = await this.unitOfWork.read<AlertRule>('', 'select * from alert_rules order by name', []);
    return { object: 'list', data: rules.map(presentRule), has_more: false };
  }

  /** Changes the named fields; nothing is written when none differs. */
  async change(name: string, { revision, ...fields }: ChangeRuleBody): Promise<AlertRuleObject> {
    const { personId } = currentSession();
    return this.unitOfWork.run(async (tx) => {
      const [before] = await tx.query<AlertRule>('select * from alert_rules where name = $1 for update', [name]);
      if (!before) throw new NotFoundProblem('alert rule');
      if (revision !== undefined && revision !== before.revision) {
        throw new Problem('stale_revision', `The rule has revision ${before.revision} by now. Read it again, then decide.`);
      }
      refuseImpossible(before, fields);
      const wanted = { ...before, ...fields };
      if (isDeepStrictEqual(wanted, before)) return presentRule(before);
      const [row] = await tx.query<AlertRule>(UPDATE, [
        name, wanted.threshold, wanted.window_seconds, wanted.cooldown_seconds, wanted.enabled, wanted.channels,
        wanted.escalation && JSON.stringify(wanted.escalation), personId,
      ]);
      const after = presentRule(row);
      await this.audit.record(tx, undefined, { kind: 'alert_rule.changed', objectId: name, before: presentRule(before), after });
      return after;
    });
  }
}

/** More than all cannot fail: such a rule would never speak again, and look as if it did. */
function refuseImpossible({ measure }: AlertRule, { threshold = 0 }: ChangeRuleBody): void {
  if (measure !== 'webhook_failure_rate' || threshold < 100) return;
  throw new ValidationProblem([{ field: 'threshold', code: 'too_big', message: 'must be at most 99 percent for this rule' }]);
}
