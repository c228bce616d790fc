import type { Provider } from '@nestjs/common';
import { SecurityLog } from '../audit/security-log';
import { SETTINGS, type Settings } from '../platform/config/settings';
import type { SecurityEvent } from '../platform/security/security-events';
import { type ChainTrouble, ChainView } from './tron/chain-view';
import { openTronSource } from './tron/open-source';

/** The chain as the configured sources tell it together: a `ChainView`, or undefined where no source is set. */
export const CHAIN_VIEW: unique symbol = Symbol('CHAIN_VIEW');

export const chainViewProvider: Provider = {
  provide: CHAIN_VIEW,
  inject: [SETTINGS, SecurityLog],
  useFactory: ({ tron }: Settings, log: SecurityLog): ChainView | undefined => {
    if (tron.sources.length === 0) return undefined;
    const sources = tron.sources.map((baseUrl) => openTronSource({ baseUrl, apiKey: tron.apiKey }));
    return new ChainView(sources, (trouble) => void log.write(eventOf(trouble)));
  },
};

function eventOf({ kind, source, reason, hash }: ChainTrouble): SecurityEvent {
  return kind === 'disagreement'
    ? { kind: 'chain.disagreement', severity: 'high', source, action: 'nothing is credited on it', details: { reason, hash } }
    : { kind: 'chain.unreachable', severity: 'medium', source, action: 'asked again later', details: { kind, reason } };
}
