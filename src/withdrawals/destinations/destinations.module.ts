import { Module, type OnModuleInit } from '@nestjs/common';
import { ClientSettingsSections } from '../../clients/settings/client-settings-sections';
import { CreateDestination } from './create-destination';
import { DeleteDestination } from './delete-destination';
import { DestinationAlerts } from './destination-alerts';
import { DestinationReader } from './destination-reader';
import { DestinationsTestClock } from './destinations-test-clock';
import { DestinationsController } from './destinations.controller';
import { withdrawalSettings } from './withdrawal-settings';

/** The places that withdrawals may go to. */
@Module({
  controllers: [DestinationsController],
  providers: [CreateDestination, DeleteDestination, DestinationReader, DestinationAlerts, DestinationsTestClock],
})
export class DestinationsModule implements OnModuleInit {
  constructor(private readonly settings: ClientSettingsSections) {}

  onModuleInit(): void {
    this.settings.register('withdrawals', withdrawalSettings, { operatorOnly: true });
  }
}
