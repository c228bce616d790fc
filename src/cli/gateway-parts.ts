/**
 * All that commands use of the gateway, in one module that they load when they need it (`gatewayParts`). To load it is most of what a
 * command takes, and help, a wrong call or a migration can do without.
 */
export { PeopleRegistry } from '../auth/people/people-registry';
export { ClientRegistry } from '../clients/client-registry';
export { FeedDownload } from '../fraud/lists/feeds/feed-download';
export { ImportFeed } from '../fraud/lists/feeds/import-feed';
export { ModelStore } from '../fraud/model/model-store';
export { TrainingHistory } from '../fraud/model/training-history';
export { Backtest } from '../fraud/rules/backtest';
export { LedgerCheck } from '../ledger/ledger-check';
export { webhookSecrets } from '../operations/alerts/channels/webhook-channel';
export { SendTestAlert } from '../operations/alerts/send-test-alert';
export { ReconcileDay } from '../operations/reconciliation/reconcile-day';
export { UnitOfWork } from '../platform/database/unit-of-work';
export { ReplayInbox } from '../webhooks/inbound/replay-inbox';
export { runInGateway } from './run-in-gateway';
