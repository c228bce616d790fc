import { Module } from '@nestjs/common';
import { AdminAlertsController } from './admin-alerts.controller';
import { AlertDeliveries } from './alert-deliveries';
import { AlertsSummary } from './alerts-summary';
import { AlertReader } from './alert-reader';
import { ALERT_ADDRESSES, publicAddresses } from './channels/alert-addresses';
import { AlertChannels } from './channels/alert-channels';
import { AlertPost } from './channels/alert-post';
import { EmailChannel } from './channels/email-channel';
import { PagerDutyChannel } from './channels/pagerduty-channel';
import { SlackChannel } from './channels/slack-channel';
import { TelegramChannel } from './channels/telegram-channel';
import { WebhookChannel } from './channels/webhook-channel';
import { DeliverAlertsJob } from './deliver-alerts.job';
import { HandleAlert } from './handle-alert';
import { RaiseAlerts } from './raise-alerts';
import { AdminAlertRulesController } from './rules/admin-alert-rules.controller';
import { ChangeAlertRule } from './rules/change-alert-rule';
import { SendTestAlert } from './send-test-alert';

/** Rules that count what looks wrong, alerts that they raise, and the channels by which people are told. */
@Module({
  controllers: [AdminAlertsController, AdminAlertRulesController],
  providers: [
    { provide: ALERT_ADDRESSES, useFactory: publicAddresses },
    AlertPost, EmailChannel, WebhookChannel, SlackChannel, PagerDutyChannel, TelegramChannel, AlertChannels,
    RaiseAlerts, AlertDeliveries, DeliverAlertsJob, AlertReader, HandleAlert, ChangeAlertRule, SendTestAlert, AlertsSummary,
  ],
})
export class AlertsModule {}
