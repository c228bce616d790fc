import { isValidIBAN } from 'ibantools';
import { z } from 'zod';
import { isTronAddress, USDT_CONTRACT } from '../../chains/tron/tron-address';
import { listQuery, pageOf } from '../../platform/http/pagination';
import { idSchema } from '../../platform/http/validation';
import { DESTINATION_TYPES, destinationObject } from './destination';

/** Controls, line ends, and what turns or hides letters: people sign what they see, so they must see what they sign. */
const DECEIVING = /[\p{C}\p{Zl}\p{Zp}]/u;

const address = z.string()
  .refine(isTronAddress, 'must be a TRON address; check every letter, capitals too')
  .refine((text) => text !== USDT_CONTRACT, 'is the contract of USDT itself: what is sent to it is lost')
  .meta({ description: 'A TRON address in base58 with its checksum.', examples: ['TQn9Y2khEsLJW1ChVWFMSMeRDow5KcbLSE'] });

const iban = z.string()
  .overwrite((text) => text.replaceAll(' ', '').toUpperCase())
  .refine((text) => isValidIBAN(text), 'must be an IBAN; its check digits do not fit')
  .meta({ description: 'With or without spaces.', examples: ['DE89 3704 0044 0532 0130 00'] });

const holder = z.string()
  .overwrite((text) => text.normalize('NFC').replace(/ +/g, ' ').trim())
  .min(1).max(140)
  .refine((text) => !DECEIVING.test(text), 'must be plain text in one line')
  .meta({ description: 'Whose account it is.', examples: ['Anna Example'] });

export const createDestinationBody = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('tron_address'), address }),
  z.strictObject({ type: z.literal('bank_account'), iban, holder }),
], { error: `must be one of ${DESTINATION_TYPES.join(', ')}` });
export type CreateDestinationBody = z.output<typeof createDestinationBody>;

export const destinationId = z.strictObject({ id: idSchema('dst') });
export const listDestinationsQuery = listQuery('dst', { type: z.enum(DESTINATION_TYPES).optional() });
export type ListDestinationsQuery = z.output<typeof listDestinationsQuery>;
export const destinationPage = pageOf(destinationObject);
