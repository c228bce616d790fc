import { Body, Controller, Get, Param, Patch } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../../../platform/http/policy';
import { STAFF_ROLES } from '../../../platform/http/roles';
import { alertRuleList, alertRuleObject, changeRuleBody, type ChangeRuleBody, ruleName } from './alert-rules.dto';
import { ChangeAlertRule } from './change-alert-rule';

/** When alerts are raised, and whom they are told. */
@ApiTags('Staff: alerts')
@Controller('v1/admin/audit/alert-rules')
export class AdminAlertRulesController {
  constructor(private readonly rules: ChangeAlertRule) {}

  @Get()
  @Policy({
    access: 'staff', roles: STAFF_ROLES, limit: 'person', audit: null, summary: 'List all alert rules, by name', answer: alertRuleList,
  })
  list() {
    return this.rules.list();
  }

  @Patch(':name')
  @Policy({
    access: 'staff', roles: ['admin'], stepUp: true, limit: 'person', audit: 'alert_rule.changed',
    summary: 'Change the figures or the channels of an alert rule', answer: alertRuleObject, problems: ['not_found', 'stale_revision'],
  })
  change(@Param({ schema: ruleName }) { name }: { name: string }, @Body({ schema: changeRuleBody }) body: ChangeRuleBody) {
    return this.rules.change(name, body);
  }
}
