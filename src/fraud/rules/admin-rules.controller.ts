import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Policy } from '../../platform/http/policy';
import { STAFF_ROLES } from '../../platform/http/roles';
import { Backtest } from './backtest';
import { Definitions } from './definitions';
import {
  backtestAnswer, backtestBody, type BacktestBody, changeRuleBody, type ChangeRuleBody, createRuleBody, type CreateRuleBody, definitionList,
  definitionName, definitionObject, listRulesQuery, type ListRulesQuery, presentSignals, signalList,
} from './rules.dto';

/** The rules of the fraud detection, its guards against card testing and its thresholds: data that staff change while it runs. */
@ApiTags('Staff: risk')
@Controller('v1/admin/risk')
export class AdminRulesController {
  constructor(
    private readonly definitions: Definitions,
    private readonly backtests: Backtest,
  ) {}

  @Get('signals')
  @Policy({ access: 'staff', roles: STAFF_ROLES, limit: 'person', audit: null, summary: 'List the signals that rules can name', answer: signalList })
  signals() {
    return presentSignals();
  }

  @Get('rules')
  @Policy({
    access: 'staff', roles: STAFF_ROLES, limit: 'person', audit: null,
    summary: 'List the rules in force, or the guards, thresholds or settings of the model, in the order in which they apply', answer: definitionList,
  })
  list(@Query({ schema: listRulesQuery }) query: ListRulesQuery) {
    return this.definitions.list(query);
  }

  @Get('rules/:name')
  @Policy({
    access: 'staff', roles: STAFF_ROLES, limit: 'person', audit: null,
    summary: 'List all versions of a rule, guard, threshold or the settings of the model, newest first', answer: definitionList, problems: ['not_found'],
  })
  versions(@Param({ schema: definitionName }) { name }: { name: string }) {
    return this.definitions.versions(name);
  }

  @Post('rules')
  @Policy({
    access: 'staff', roles: ['admin', 'analyst'], stepUp: true, limit: 'decision', audit: 'risk.rule_changed', status: 201,
    summary: 'Make a rule; in mode shadow it is tried without effect', answer: definitionObject, problems: ['state_conflict'],
  })
  create(@Body({ schema: createRuleBody }) body: CreateRuleBody) {
    return this.definitions.create(body);
  }

  @Patch('rules/:name')
  @Policy({
    access: 'staff', roles: ['admin', 'analyst'], stepUp: true, limit: 'decision', audit: 'risk.rule_changed',
    summary: 'Put a new version of a rule, guard, threshold or the settings of the model in force, on every instance', answer: definitionObject,
    problems: ['not_found', 'stale_revision'],
  })
  change(@Param({ schema: definitionName }) { name }: { name: string }, @Body({ schema: changeRuleBody }) body: ChangeRuleBody) {
    return this.definitions.change(name, body);
  }

  @Post('rules/backtest')
  @Policy({
    access: 'staff', roles: ['admin', 'analyst'], limit: 'decision', audit: null,
    summary: 'Replay past assessments with other rules, and tell what would change', answer: backtestAnswer,
  })
  backtest(@Body({ schema: backtestBody }) body: BacktestBody) {
    return this.backtests.run(body);
  }
}
