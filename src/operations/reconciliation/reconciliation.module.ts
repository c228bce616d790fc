import { Module } from '@nestjs/common';
import { ChainsModule } from '../../chains/chains.module';
import { InboundWebhooksModule } from '../../webhooks/inbound/inbound-webhooks.module';
import { AdminReconciliationsController } from './admin-reconciliations.controller';
import { CompareBooks } from './compare-books';
import { ReconcileDay } from './reconcile-day';
import { ReconcileJob } from './reconcile.job';
import { ReconciliationStore } from './reconciliation-store';
import { RereadArrivals } from './reread-arrivals';
import { RereadPayouts } from './reread-payouts';

/** The daily proof that the books and the outside agree. It reads every room's tables and changes none of them. */
@Module({
  imports: [ChainsModule, InboundWebhooksModule],
  controllers: [AdminReconciliationsController],
  providers: [CompareBooks, RereadArrivals, RereadPayouts, ReconcileDay, ReconciliationStore, ReconcileJob],
})
export class ReconciliationModule {}
