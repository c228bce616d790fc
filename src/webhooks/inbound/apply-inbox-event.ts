import { Injectable, Logger } from '@nestjs/common';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { currentContext, runInContext } from '../../platform/http/request-context';
import { Job, type JobHandler } from '../../platform/jobs/job-queue';
import { ProviderEvents } from '../../platform/providers/provider-event';
import { maskSecrets } from '../../platform/security/crypto/masking';
import { InboundSources } from './inbound-sources';
import { APPLY_JOB, type ApplyInboxEventJob, type InboxEventKey } from './inbox-event';

const MAX_ERROR_LENGTH = 1_000;

/**
 * Applies a stored event through the port of the feature that it concerns. Two round trips: its payment, and the
 * change, which settles the event in its own transaction: a job that runs twice, or dies half way, has one effect.
 *
 * The job was written in the transaction that stored the event, and the queue frees the jobs of dead processes, so no sweep
 * has to look for forgotten events. After the queue's last attempt the event stays `failed`, with its error, for a replay.
 */
@Injectable()
@Job(APPLY_JOB)
export class ApplyInboxEvent implements JobHandler<ApplyInboxEventJob> {
  readonly job = APPLY_JOB;
  private readonly logger = new Logger(ApplyInboxEvent.name);

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly sources: InboundSources,
    private readonly events: ProviderEvents,
  ) {}

  /** Applies the event; one that is settled already stays as it is. What fails is noted on the event and thrown, for the queue to try again. */
  async run({ payload, ...key }: ApplyInboxEventJob): Promise<void> {
    const context = { ...currentContext(), actor: { type: 'provider' as const, id: key.source } };
    try {
      await runInContext(context, () => this.apply(key, payload));
    } catch (error) {
      await this.noteFailure(key, error);
      throw error;
    }
  }

  private async apply({ source: name }: InboxEventKey, payload: string): Promise<void> {
    const source = this.sources.reading(name);
    if (!source) throw new Error(`This version of the gateway does not know the source ${name}.`);
    await this.events.apply(source.parse(Buffer.from(payload)));
  }

  /** A second failure, to write down the first one, must not hide it. */
  private async noteFailure({ source, event_id: eventId }: InboxEventKey, error: unknown): Promise<void> {
    try {
      await this.unitOfWork.once({
        text: `update inbox_events set status = 'failed', attempts = attempts + 1, last_error = $3
                where source = $1 and event_id = $2 and status in ('received', 'failed')`,
        values: [source, eventId, messageOf(error)],
      });
    } catch (unwritten) {
      this.logger.error({ err: unwritten, msg: `could not note why event ${eventId} of ${source} failed` });
    }
  }
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return String(maskSecrets(message)).slice(0, MAX_ERROR_LENGTH);
}
