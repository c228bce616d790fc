import { z } from 'zod';
import { listQuery, pageOf } from '../../platform/http/pagination';
import { idSchema, visibleText } from '../../platform/http/validation';
import { BLOCK_STATES } from '../../platform/security/blocks/block';
import { networkText, readNetwork } from '../../platform/security/blocks/networks';

const KINDS = ['block', 'allow'] as const;
const YEAR_SECONDS = 31_536_000;
const time = z.iso.datetime().meta({ description: 'RFC 3339, UTC, milliseconds.' });

/** Read into the one form in which a network is kept. */
const address = z
  .string()
  .max(60)
  .refine(
    (text) => readNetwork(text) !== undefined,
    'must be an IP address or a network without bits beyond its prefix, such as 203.0.113.0/24',
  )
  .transform((text) => networkText(readNetwork(text)!))
  .meta({ description: 'An IP address, or a network in CIDR form.', examples: ['203.0.113.7'] });

export const createBlockBody = z.strictObject({
  address,
  kind: z.enum(KINDS).default('block').meta({ description: 'An allow is never blocked, whatever else covers it; it is still limited.' }),
  reason: visibleText(1, 500),
  seconds: z.int().min(60).max(YEAR_SECONDS).optional()
    .meta({ description: 'How long it holds. A block without it holds an hour, an allow until it is released.' }),
});
export type CreateBlockBody = z.output<typeof createBlockBody>;

export const blockObject = z.object({
  id: idSchema('blk'),
  object: z.literal('ip_block'),
  address: z.string(),
  kind: z.enum(KINDS),
  state: z.enum(BLOCK_STATES),
  level: z.int().meta({ description: '0: set by a person. 1 to 4: set by the gateway, longer each time.' }),
  reason: z.string(),
  created_by: z.string().nullable().meta({ description: 'Who set it; null for the gateway itself.' }),
  created_at: time,
  expires_at: time.nullable().meta({ description: 'When it ends by itself; null for an allow that does not.' }),
  released_at: time.nullable(),
  released_by: z.string().nullable(),
}).meta({ id: 'IpBlock' });
export type BlockObject = z.output<typeof blockObject>;

export const blockId = z.strictObject({ id: idSchema('blk') });
export const listBlocksQuery = listQuery('blk', { state: z.enum(BLOCK_STATES).default('active') });
export type ListBlocksQuery = z.output<typeof listBlocksQuery>;
export const blockPage = pageOf(blockObject);
