import { Injectable, Logger } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { currentContext } from '../../platform/http/request-context';
import { newId } from '../../platform/identifiers';
import type { LoginLook, LoginRisk } from '../../platform/security/login-risk';
import { CountryLookup } from '../geo/country-lookup';
import { failedLoginSightings, type LoginFacts, loginRequest, loginSightings, loginSignals } from '../signals/login-signals';
import { LOGIN_BOOK } from '../signals/sightings';
import { assessmentParameter } from './assessment';
import { RiskEngine } from './risk-engine';

const SEEN = 'insert into risk_sightings select * from jsonb_populate_recordset(null::risk_sightings, $1)';

/** How risky logins look. What is held against an address here counts for payments and withdrawals from there too. */
@Injectable()
export class AssessLogin implements LoginRisk {
  private readonly logger = new Logger(AssessLogin.name);

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly engine: RiskEngine,
    private readonly countries: CountryLookup,
  ) {}

  /** A failure to count is logged and changes nothing of what the caller is told. */
  async failed(account: string): Promise<void> {
    if (!this.engine.enabled) return;
    const book = { client_id: LOGIN_BOOK.clientId, livemode: LOGIN_BOOK.livemode, at: new Date(), subject_id: newId('lgn'), small: false };
    const seen = failedLoginSightings(account, currentContext().ip).map((sighting) => ({ ...book, ...sighting }));
    await this.unitOfWork.once({ name: 'risk_seen', text: SEEN, values: [JSON.stringify(seen)] })
      .catch((error: unknown) => this.logger.error({ err: error, msg: 'could not count a failed login' }));
  }

  async admits({ personId, deviceKnown }: LoginLook): Promise<boolean> {
    if (!this.engine.enabled) return true;
    const startedAt = performance.now();
    const { ip } = currentContext();
    const facts: LoginFacts = { personId, deviceKnown, ip, ipCountry: this.countries.countryOf(ip) };
    const request = loginRequest(facts);
    const context = await this.engine.look(request);
    const signals = loginSignals(facts, request, context);
    const { verdict, revision } = await this.engine.judge('login', signals, context.revision, startedAt);
    const at = new Date();
    const sightings = verdict.decision === 'allow' ? loginSightings(facts) : [];
    const assessment = { ...LOGIN_BOOK, subject: 'login', subjectId: newId('lgn', at.getTime()), verdict, signals, sightings, revision, at } as const;
    await this.unitOfWork.once({ name: 'write_assessment', text: 'select write_assessment($1)', values: [assessmentParameter(assessment)] });
    await this.engine.tell(assessment);
    return verdict.decision !== 'block';
  }
}
