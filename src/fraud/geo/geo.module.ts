import { Module } from '@nestjs/common';
import { SETTINGS, type Settings } from '../../platform/config/settings';
import { CountryLookup } from './country-lookup';

/** Where an address is. */
@Module({
  providers: [{ provide: CountryLookup, inject: [SETTINGS], useFactory: (settings: Settings) => new CountryLookup(settings.geoipDatabase) }],
  exports: [CountryLookup],
})
export class GeoModule {}
