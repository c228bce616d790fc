import { Injectable } from '@nestjs/common';
import { AuditLog } from '../../audit/audit-log';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { NotFoundProblem } from '../../platform/http/problem';
import { currentContext } from '../../platform/http/request-context';
import type { BackTestResult, Measured } from './back-test';
import { DAY_MS } from './facts';
import type { ModelFigures, ModelObject } from './models.dto';
import type { SplitDays } from './split';

/** A model that was trained and measured, and on what. */
export interface TrainedModel {
  result: BackTestResult;
  split: SplitDays;
  seed: number;
  trainedOn: string;
}

interface ModelRow {
  version: number;
  figures: ModelFigures;
  trained_on: string;
  features: string[];
  created_by: string;
  created_at: Date;
}

/** Without the trees, which nobody reads. */
const SHOWN = "version, figures, trained_on, body -> 'featureNames' as features, created_by, created_at";
const LIST = `select ${SHOWN} from risk_models order by version desc limit 100`;
const ONE = `select ${SHOWN} from risk_models where version = $1`;
const LOCK = "select pg_advisory_xact_lock(hashtextextended('risk_models', 0))";
const INSERT = `
  insert into risk_models (version, body, figures, trained_on, created_by)
  select coalesce(max(version), 0) + 1, $1, $2, $3, $4 from risk_models returning ${SHOWN}`;

/** Trained models with how well they did. Storing one changes nothing: which is in force is said by the definition named model. */
@Injectable()
export class ModelStore {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly audit: AuditLog,
  ) {}

  /** Keeps a model under the next version. */
  store({ result, split, seed, trainedOn }: TrainedModel): Promise<ModelObject> {
    const figures = figuresOf(result, split, seed);
    const by = currentContext().actor?.id ?? 'cpgateway';
    return this.unitOfWork.run(async (tx) => {
      await tx.query(LOCK);
      const [row] = await tx.query<ModelRow>(INSERT, [JSON.stringify(result.model), JSON.stringify(figures), trainedOn.slice(0, 500), by]);
      const shown = present(row!);
      await this.audit.record(tx, undefined, { kind: 'risk.model_stored', objectId: `model_${shown.version}`, after: { figures, trained_on: trainedOn } });
      return shown;
    });
  }

  /** The newest hundred. */
  async list() {
    const rows = await this.unitOfWork.read<ModelRow>('', LIST, []);
    return { object: 'list' as const, data: rows.map(present), has_more: false as const };
  }

  /** 404 for a version that was never stored. */
  async get(version: number): Promise<ModelObject> {
    const [row] = await this.unitOfWork.read<ModelRow>('', ONE, [version]);
    if (!row) throw new NotFoundProblem('model');
    return present(row);
  }
}

const rounded = (figure: number) => Number(figure.toFixed(4));
const presentMeasured = ({ aucRoc, averagePrecision, cardPrecision }: Measured) =>
  ({ auc_roc: rounded(aucRoc), average_precision: rounded(averagePrecision), card_precision_100: rounded(cardPrecision) });

function figuresOf(result: BackTestResult, { trainStart, trainDays, delayDays, testDays }: SplitDays, seed: number): ModelFigures {
  const { train, test, rules } = result;
  return {
    train, test, ...presentMeasured(result),
    split: { train_start: new Date(trainStart * DAY_MS).toISOString().slice(0, 10), train_days: trainDays, delay_days: delayDays, test_days: testDays, seed },
    ...(rules ? { rules: presentMeasured(rules) } : {}),
  };
}

function present({ created_at: at, ...row }: ModelRow): ModelObject {
  return { object: 'risk_model', ...row, created_at: at.toISOString() };
}
