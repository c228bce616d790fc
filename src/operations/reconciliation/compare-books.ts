import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { LedgerSnapshot } from '../../ledger/ledger-snapshot';
import type { ProviderEvent } from '../../platform/providers/provider-event';
import { InboundSources } from '../../webhooks/inbound/inbound-sources';
import { MalformedEventError } from '../../webhooks/inbound/sources/provider-event';
import { type Comparison, type ComparisonRow, comparedInDatabase, comparisonFromRow, Tally } from './comparison';
import { KEEP_TOLD, PAYOUTS, PROVIDER_ACCOUNTS, TELLING_EVENTS, TOLD_ARRIVALS, TOLD_TABLE, WATCHED_ARRIVALS } from './comparison-queries';
import type { ReportDay } from './report-day';

/** Its events only say where to look; the money itself is read from the chain. */
const ONLY_A_HINT = 'tron';
/** An event may have 256 KiB. */
const EVENTS_AT_ONCE = 200;

interface StoredEvent {
  source: string;
  event_id: string;
  livemode: boolean | null;
  payload: string;
  settled: boolean;
  in_day: boolean;
}

/**
 * Compares what was told and stored (providers' events, what the watcher has seen, payouts) with what our books hold, in one snapshot. The
 * database compares; of the events, whose words only their sources understand, this process holds a few at a time.
 */
@Injectable()
export class CompareBooks {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sources: InboundSources,
  ) {}

  compare(day: ReportDay): Promise<Comparison[]> {
    const sources = this.sources.names.filter((name) => name !== ONLY_A_HINT);
    const bounds = [day.livemode, day.from, day.to];
    return LedgerSnapshot.read(this.dataSource, async (snapshot) => {
      const compared = async (items: string, values: unknown[], what: string): Promise<Comparison[]> =>
        (await snapshot.query<ComparisonRow>(comparedInDatabase(items), values)).map((row) => comparisonFromRow(row, what));
      const unread = await this.keepTold(snapshot, day, sources);
      return [
        ...unread,
        ...(await compared(TOLD_ARRIVALS, [...bounds, sources], 'arrivals that the provider has told of')),
        ...(await compared(WATCHED_ARRIVALS, bounds, 'arrivals that the watcher has seen')),
        ...(await compared(PAYOUTS, bounds, 'payouts that were made')),
        ...(await compared(PROVIDER_ACCOUNTS, bounds, 'money that was booked as received')),
      ];
    }, TOLD_TABLE);
  }

  /** Puts down what the events tell of money that arrived. What cannot be read any more is a difference of its own. */
  private async keepTold(snapshot: LedgerSnapshot, { livemode, from, to }: ReportDay, sources: readonly string[]): Promise<Comparison[]> {
    const unread = new Tally('inbox', 'stored events');
    for await (const events of snapshot.chunks<StoredEvent>(TELLING_EVENTS, [from, to, sources], EVENTS_AT_ONCE)) {
      const told = events.flatMap((stored) => {
        const event = this.read(stored);
        if (event) return toldBy(event, stored);
        const reference = `${stored.source}:${stored.event_id}`;
        const isOurs = stored.in_day && (stored.livemode ?? true) === livemode;
        if (isOurs) unread.add({ kind: 'unverified', reference, currency: '', note: 'not verified: the stored event cannot be read' });
        return [];
      });
      if (told.length > 0) await snapshot.query(KEEP_TOLD, [JSON.stringify(told)]);
    }
    await snapshot.query('analyze told');
    return unread.comparisons;
  }

  private read({ source, payload }: StoredEvent): ProviderEvent | undefined {
    try {
      return this.sources.reading(source)?.parse(Buffer.from(payload));
    } catch (error) {
      if (error instanceof MalformedEventError) return undefined;
      throw error;
    }
  }
}

/** What an event tells of money that arrived, as KEEP_TOLD takes it; nothing if it tells of none. */
function toldBy({ kind, subject }: ProviderEvent, { source, livemode, in_day, settled }: StoredEvent): object[] {
  const { reference, paymentId, amountMinor, currency } = subject;
  if (kind !== 'payment.succeeded' || !reference || !amountMinor || !currency) return [];
  return [{ source, reference, payment_id: paymentId, amount_minor: amountMinor.toString(), currency, livemode, in_day, settled }];
}
