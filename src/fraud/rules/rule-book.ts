import { Injectable, Logger } from '@nestjs/common';
import { type Tx, UnitOfWork } from '../../platform/database/unit-of-work';
import { FEATURE_NAMES } from '../model/features';
import { type FraudModel, parseModel } from '../model/model';
import type { ModelInForce } from '../model/opinion';
import { type Subject, SUBJECTS } from '../signals/signal-catalogue';
import { modelBody, type Rule, ruleBody, type Thresholds, thresholdBody } from './rule';

/** The newest version of every definition; `first` keeps rules in the order in which they were made. */
const CURRENT = `
  select kind, name, version, body, revision::int as revision, first from (
    select d.*, min(d.revision) over (partition by d.kind, d.name)::int as first,
           row_number() over (partition by d.kind, d.name order by d.version desc) as newest
      from risk_definitions d where d.kind in ('rule', 'threshold', 'model')) d
   where newest = 1 order by first`;

interface DefinitionRow {
  kind: 'rule' | 'threshold' | 'model';
  name: string;
  version: number;
  body: unknown;
  revision: number;
}

const MODEL = 'select body::text as body from risk_models where version = $1';

/** All rules and thresholds in force at one revision, and the learned model unless it is off. */
export interface RuleSet {
  revision: number;
  rules: ReadonlyMap<Subject, readonly Rule[]>;
  thresholds: ReadonlyMap<Subject, Thresholds>;
  model?: ModelInForce;
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
  private newest?: RuleSet;
  /** Stored models never change, so the one that was read last is kept over changes of the rules. */
  private parsed?: { version: number; model: FraudModel };

  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** What was loaded last, without asking anybody; undefined before the first time. */
  get known(): RuleSet | undefined {
    return this.newest;
  }

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
    const set = {
      revision: Math.max(0, ...rows.map(({ revision }) => revision)),
      rules: new Map(SUBJECTS.map((subject) => [subject, rules.filter((rule) => rule.subject === subject)])),
      thresholds: new Map(thresholds),
      model: await this.readModel(rows.find(({ kind }) => kind === 'model')),
    };
    if (set.revision >= (this.newest?.revision ?? 0)) this.newest = set;
    return set;
  }

  /** The model that is not off. One that cannot be read is left out as loudly as a rule, and the rules decide without it. */
  private async readModel(row: DefinitionRow | undefined): Promise<ModelInForce | undefined> {
    if (!row) return undefined;
    try {
      const { mode, model_version: version, review_from: reviewFrom, score } = modelBody.parse(row.body);
      if (mode === 'off' || version === null) return undefined;
      return { version, mode, reviewFrom, score, model: await this.modelOf(version) };
    } catch (error) {
      this.logger.error({ err: error, msg: `the learned model of the setting's version ${row.version} cannot be read and is left out` });
      return undefined;
    }
  }

  private async modelOf(version: number): Promise<FraudModel> {
    if (this.parsed?.version === version) return this.parsed.model;
    const [stored] = await this.unitOfWork.read<{ body: string }>('risk_model', MODEL, [version]);
    const model = parseModel(stored!.body, FEATURE_NAMES);
    this.parsed = { version, model };
    return model;
  }

  /** A rule of another version of the gateway may name what this one does not know: it is left out, loudly, and the others work on. */
  private read({ name, version, body }: DefinitionRow): Rule[] {
    const { data, error } = ruleBody.safeParse(body);
    if (data) return [{ ...data, name, version }];
    this.logger.error({ err: error, msg: `the fraud rule ${name}, version ${version}, cannot be read and is left out` });
    return [];
  }
}
