import { z } from 'zod';
import { listQuery, pageOf } from '../../platform/http/pagination';
import { idSchema, visibleText } from '../../platform/http/validation';
import { parseAddress } from '../../platform/security/network/address-rules';
import { FEED_KINDS } from './feeds/feed';
import { BY_STAFF, ENTRY_STATES, listEntryObject, LISTS } from './list-entry';
import { LIST_KINDS, readListValue } from './list-values';

const MAX_DAYS = 366;

export const entryId = z.strictObject({ id: idSchema('rle') });

export const addEntryBody = z
  .strictObject({
    list: z.enum(LISTS),
    kind: z.enum(LIST_KINDS),
    value: z.string().min(1).max(300).meta({
      description: 'An address or range (at widest /8, for IPv6 /16), a country in two letters, a customer, a domain (its subdomains count too), '
        + "a chain address or IBAN, or a card's fingerprint.",
      examples: ['203.0.113.0/24'],
    }),
    client: idSchema('cli').optional().meta({ description: 'Only for this client; without it for all.' }),
    reason: visibleText(1, 500),
    expires_at: z.iso.datetime({ offset: true }).optional()
      .refine((text) => text === undefined || new Date(text) > new Date(), 'must be a time to come')
      .meta({ description: 'When it ends by itself; without it it holds until it is removed.' }),
  })
  .transform((body, context) => {
    const { value, refusal } = readListValue(body.kind, body.value);
    if (refusal === undefined) return { ...body, value };
    context.addIssue({ code: 'custom', path: ['value'], message: refusal });
    return z.NEVER;
  });
export type AddEntryBody = z.output<typeof addEntryBody>;

/** The name of a feed. */
export const feedSource = z.string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be a name of lower-case letters, digits, dots and dashes')
  .refine((name) => name !== BY_STAFF, 'is the name of what people enter; give the feed one of its own');

export const importBody = z
  .strictObject({
    list: z.enum(LISTS),
    kind: z.enum(FEED_KINDS),
    source: feedSource.meta({ description: "The feed's name: what came under it before and is missing now is removed.", examples: ['firehol-level1'] }),
    url: z.string().min(1).max(2048).optional().meta({ description: 'Where the feed is read from, up to 10 MiB; redirects are not followed.' }),
    content: z.string().min(1).optional().meta({ description: 'Or the feed itself, as far as it fits into a request: one value a line.' }),
    expires_in_days: z.int().min(1).max(MAX_DAYS).optional(),
    force: z.boolean().default(false).meta({ description: 'Also when it is empty, or has shrunk by more than nine tenths.' }),
  })
  .refine(({ url, content }) => (url === undefined) !== (content === undefined), { path: ['url'], message: 'send either url or content' });
export type ImportBody = z.output<typeof importBody>;

export const importObject = z.object({
  object: z.literal('risk_list_import'),
  list: z.enum(LISTS),
  kind: z.enum(FEED_KINDS),
  source: z.string(),
  added: z.int(),
  kept: z.int(),
  removed: z.int(),
  refused: z.int().meta({ description: 'Lines that hold no value of this kind; all others count.' }),
  refused_lines: z.array(z.object({ line: z.int(), reason: z.string() })).meta({ description: 'The first 20 of them.' }),
  expires_at: z.iso.datetime().nullable(),
}).meta({ id: 'RiskListImport' });
export type ImportObject = z.output<typeof importObject>;

export const listEntriesQuery = listQuery('rle', {
  list: z.enum(LISTS).optional(),
  kind: z.enum(LIST_KINDS).optional(),
  value: z.string().min(1).max(300).optional().meta({ description: 'With `kind`: exactly this one.' }),
  address: z.string().max(60).refine((text) => parseAddress(text) !== undefined, 'must be an IP address').transform((text) => parseAddress(text)!.toString()).optional()
    .meta({ description: 'The addresses and ranges in force that hold this address.' }),
  source: z.string().min(1).max(64).optional(),
  client: idSchema('cli').optional(),
  state: z.enum(ENTRY_STATES).default('active'),
}).refine((query) => !(query as { value?: string }).value || (query as { kind?: string }).kind, { path: ['kind'], message: 'is required beside value' });
export type ListEntriesQuery = z.output<typeof listEntriesQuery>;
export const entryPage = pageOf(listEntryObject);
