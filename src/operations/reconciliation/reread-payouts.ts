import { Inject, Injectable } from '@nestjs/common';
import { CHAIN_VIEW } from '../../chains/chain-view.provider';
import { inParallel } from '../../chains/collections';
import type { ChainView } from '../../chains/tron/chain-view';
import { proofOf } from '../../payouts/chain-proof';
import { type Payout, payoutFromRow, type PayoutRow } from '../../payouts/payout';
import { UnitOfWork } from '../../platform/database/unit-of-work';
import { type ComparedItem, type Comparison, Tally } from './comparison';
import type { ReportDay } from './report-day';

const PAYOUTS_AT_ONCE = 100;
const LANES = 4;
const WHAT = 'payouts read again from the chain';

const PAID_ON_CHAIN = `
  select * from payouts
   where status = 'completed' and updated_at >= $2 and updated_at < $3 and livemode = $1 and reference is not null and id > $4
   order by id limit ${PAYOUTS_AT_ONCE}`;

/** Looks at every chain transaction once more that is said to have paid a payout of that day. */
@Injectable()
export class RereadPayouts {
  constructor(
    @Inject(CHAIN_VIEW) private readonly view: ChainView | undefined,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Nothing where no source of the chain is set. */
  async compare({ livemode, from, to }: ReportDay): Promise<Comparison[]> {
    const { view } = this;
    if (!view) return [];
    const tally = new Tally('payouts', WHAT);
    for (let last = '', more = true; more;) {
      const rows = await this.unitOfWork.read<PayoutRow & Record<string, unknown>>('', PAID_ON_CHAIN, [livemode, from, to, last]);
      const items = await inParallel(rows.map(payoutFromRow), LANES, (payout) => reread(view, payout));
      for (const item of items) tally.add(item);
      more = rows.length === PAYOUTS_AT_ONCE;
      last = rows.at(-1)?.id ?? last;
    }
    return tally.comparisons;
  }
}

/** The same proof as when it was paid: hash, whole destination, exact amount. */
async function reread(view: ChainView, payout: Payout): Promise<ComparedItem> {
  const { reference, subjectId: object, currency, amountMinor } = payout;
  const proof = proofOf(payout, await view.examine(reference!.split(':', 1)[0]!));
  const item = { reference: reference!, object, currency, ledgerMinor: amountMinor };
  if (proof.state === 'paid') return { ...item, providerMinor: amountMinor };
  if (proof.state === 'refused') return { ...item, kind: 'missing_at_provider', note: proof.reason };
  return { ...item, kind: 'unverified', note: `not verified: ${proof.state === 'waiting' ? proof.reason : 'no answer'}` };
}
