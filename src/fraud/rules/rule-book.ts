import { Injectable, Logger } from '@nestjs/common';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { type Subject, SUBJECTS } from '../signals/signal-catalogue';
import { type Rule, ruleBody, type Thresholds, thresholdBody } from './rule';

/** The newest version of every definition; `first` keeps rules in the order in which they were made. */
const CURRENT = `
  select kind, name, version, body, revision::int as revision, first from (
    select d.*, min(d.revision) over (partition by d.kind, d.name)::int as first,
           row_number() over (partition by d.kind, d.name order by d.version desc) as newest
      from risk_definitions d where d.kind in ('rule', 'threshold')) d
   where newest = 1 order by first`;

interface DefinitionRow {
  kind: 'rule' | 'threshold';
  name: string;
  version: number;
  body: unknown;
  revision: number;
}

/** All rules and thresholds in force at one revision. */
export interface RuleSet {
  revision: number;
  rules: ReadonlyMap<Subject, readonly Rule[]>;
  thresholds: ReadonlyMap<Subject, Thresholds>;
}

const LATEST = 'select revision::int as revision from risk_definitions order by revision desc limit 1';

/**
 * The rules in force. They are read again whenever the revision that an assessment has met in the database is another one, so a change
 * works on every instance from its commit on, without any waiting.
 */
@Injectable()
export class RuleBook {
  private readonly logger = new Logger(RuleBook.name);
  private loaded?: Promise<RuleSet>;
  private revision = -1;

  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** The rules as they were at that revision or later. */
  async at(revision: number, query?: Tx['query']): Promise<RuleSet> {
    if (!this.loaded || revision > this.revision) {
      this.revision = revision;
      this.loaded = this.load(query);
      // Whoever comes next tries again.
      this.loaded.catch(() => { this.loaded = undefined; });
    }
    return this.loaded;
  }

  /** The rules as they are now. */
  async current(): Promise<RuleSet> {
    const [row] = await this.unitOfWork.read<{ revision: number }>('risk_revision', LATEST, []);
    return this.at(row?.revision ?? 0);
  }

  /** By the caller's own connection where it holds one: it must not wait for a second. */
  private async load(query: Tx['query'] | undefined): Promise<RuleSet> {
    const rows = await (query ? query<DefinitionRow>(CURRENT) : this.unitOfWork.read<DefinitionRow>('risk_definitions', CURRENT, []));
    const rules = rows.filter(({ kind }) => kind === 'rule').flatMap((row) => this.read(row));
    const thresholds = rows.filter(({ kind }) => kind === 'threshold').map(({ name, body }) => [name as Subject, thresholdBody.parse(body)] as const);
    return {
      revision: Math.max(0, ...rows.map(({ revision }) => revision)),
      rules: new Map(SUBJECTS.map((subject) => [subject, rules.filter((rule) => rule.subject === subject)])),
      thresholds: new Map(thresholds),
    };
  }

  /** A rule of another version of the gateway may name what this one does not know: it is left out, loudly, and the others work on. */
  private read({ name, version, body }: DefinitionRow): Rule[] {
    const { data, error } = ruleBody.safeParse(body);
    if (data) return [{ ...data, name, version }];
    this.logger.error({ err: error, msg: `the fraud rule ${name}, version ${version}, cannot be read and is left out` });
    return [];
  }
}
