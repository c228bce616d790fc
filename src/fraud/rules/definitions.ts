import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { NotFoundProblem, Problem, ValidationProblem } from '../../platform/http/problem';
import { currentSession } from '../../platform/http/request-context';
import { toFieldErrors } from '../../platform/http/validation';
import type { ModelFigures } from '../model/models.dto';
import { SUBJECTS } from '../signals/signal-catalogue';
import { modelBody } from './rule';
import { bodySchemaOf, type ChangeRuleBody, type CreateRuleBody, type DefinitionKind, type DefinitionObject, type ListRulesQuery } from './rules.dto';

interface DefinitionRow {
  kind: DefinitionKind;
  name: string;
  version: number;
  body: Record<string, unknown>;
  note: string;
  changed_by: string;
  created_at: Date;
}

const CURRENT = `
  select * from (select d.*, min(d.revision) over (partition by d.kind, d.name) as first,
                        row_number() over (partition by d.kind, d.name order by d.version desc) as newest
                   from risk_definitions d where d.kind = $1) d
   where newest = 1 and ($2::text is null or body ->> 'subject' = $2) order by first`;
const VERSIONS = 'select * from risk_definitions where name = $1 order by version desc limit 100';
/** Names are unique over all kinds, so that one path leads to one thing. */
const NEWEST = 'select * from risk_definitions where name = $1 order by version desc limit 1';
/** Whoever changes holds the lock until the commit, so that revisions become visible in their order and no instance misses one. */
const LOCK = "select pg_advisory_xact_lock(hashtextextended('risk_definitions', 0))";
const INSERT = `
  insert into risk_definitions (kind, name, version, revision, body, note, changed_by)
  select $1, $2, $3, max(revision) + 1, $4, $5, $6 from risk_definitions
  returning kind, name, version, body, note, changed_by, created_at`;

/** Rules, guards and thresholds as staff read and change them. A change is a new version; every instance decides by it from its commit on. */
@Injectable()
export class Definitions {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
  ) {}

  /** Those of a kind that are in force, in the order in which they are applied. */
  async list({ kind, subject }: ListRulesQuery) {
    const rows = await this.unitOfWork.read<DefinitionRow>('', CURRENT, [kind, subject ?? null]);
    return { object: 'list' as const, data: rows.map(present), has_more: false as const };
  }

  /** All versions of one, the newest first; 404 for a name that was never used. */
  async versions(name: string) {
    const rows = await this.unitOfWork.read<DefinitionRow>('', VERSIONS, [name]);
    if (rows.length === 0) throw new NotFoundProblem('rule');
    return { object: 'list' as const, data: rows.map(present), has_more: false as const };
  }

  /** A new rule; 409 for a name that is taken. */
  create({ name, rule, note }: CreateRuleBody): Promise<DefinitionObject> {
    return this.unitOfWork.run(async (tx) => {
      await tx.query(LOCK);
      if ((await tx.query(NEWEST, [name])).length > 0) throw new Problem('state_conflict', `There is something named ${name} already. Change it, or choose another name.`);
      return this.write(tx, undefined, { kind: 'rule', name, version: 1, body: rule, note });
    });
  }

  /** The next version. 404 for an unknown name, 409 when another version is the newest, 422 for a body that is none of its kind. */
  change(name: string, { version, body, note }: ChangeRuleBody): Promise<DefinitionObject> {
    return this.unitOfWork.run(async (tx) => {
      await tx.query(LOCK);
      const [before] = await tx.query<DefinitionRow>(NEWEST, [name]);
      if (!before) throw new NotFoundProblem('rule');
      if (before.version !== version) throw new Problem('stale_revision', `The newest version is ${before.version}. Read it again, then change it.`);
      const { data, error } = bodySchemaOf(before.kind).safeParse(body);
      if (error) throw new ValidationProblem(toFieldErrors(error.issues).map((each) => ({ ...each, field: `body.${each.field}` })));
      refuseOtherSubject(before, data);
      if (before.kind === 'model') await refuseUnproven(tx, data);
      return this.write(tx, before, { kind: before.kind, name, version: version + 1, body: data, note });
    });
  }

  private async write(tx: Tx, before: DefinitionRow | undefined, after: Omit<DefinitionRow, 'changed_by' | 'created_at'>): Promise<DefinitionObject> {
    const { kind, name, version, body, note } = after;
    const [row] = await tx.query<DefinitionRow>(INSERT, [kind, name, version, JSON.stringify(body), note, currentSession().personId]);
    const shown = present(row!);
    await this.audit.record(tx, undefined, { kind: `risk.${kind}_changed`, objectId: name, before: before && present(before), after: shown });
    return shown;
  }
}

/** A model that is in force must be stored; one that decides must have told more frauds apart than the rules, where both were measured. */
async function refuseUnproven(tx: Tx, body: Record<string, unknown>): Promise<void> {
  const { mode, model_version: version } = modelBody.parse(body);
  const refuse = (message: string) => { throw new ValidationProblem([{ field: 'body.model_version', code: 'not_available', message }]); };
  if (version === null) return mode === 'off' ? undefined : refuse('must name a stored model unless the mode is off');
  const [stored] = await tx.query<{ figures: ModelFigures }>('select figures from risk_models where version = $1', [version]);
  if (!stored) return refuse('must be the version of a stored model; GET /v1/admin/risk/models lists them');
  const { average_precision: own, rules } = stored.figures;
  if (mode === 'active' && rules && own <= rules.average_precision) {
    refuse(`must be of a model that beats the rules: its average precision is ${own}, theirs ${rules.average_precision}`);
  }
}

/** What was assessed under a name must stay comparable. */
function refuseOtherSubject({ body: before }: DefinitionRow, after: Record<string, unknown>): void {
  if (before.subject === after.subject) return;
  throw new ValidationProblem([{ field: 'body.subject', code: 'not_available', message: `must stay ${String(before.subject)}; make a new rule for another of ${SUBJECTS.join(', ')}` }]);
}

function present({ kind, name, version, body, note, changed_by, created_at }: DefinitionRow): DefinitionObject {
  return { name, object: 'risk_definition', kind, version, body, note, changed_by, created_at: created_at.toISOString() };
}
