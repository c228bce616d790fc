import { z } from 'zod';
import { visibleText } from '../../platform/http/validation';

/** What a merchant shows of itself; null for what it has not set. */
export interface Branding {
  display_name: string | null;
  logo_url: string | null;
  primary_color: string | null;
  accent_color: string | null;
  support_email: string | null;
  support_url: string | null;
}

const colour = z.string().regex(/^#[0-9a-f]{6}$/i, 'must be a colour such as #1a2b3c').toLowerCase();
/** What an address may be is decided where it is checked; here only that it can be one. */
const url = z.string().min(1).max(2048);

const fields = {
  display_name: visibleText(1, 100).nullable().meta({ description: 'The name that payers see; null: the client\'s name.' }),
  logo_url: url.nullable().meta({ description: 'An https address of a public host.', examples: ['https://shop.example/logo.svg'] }),
  primary_color: colour.nullable().meta({ examples: ['#1a2b3c'] }),
  accent_color: colour.nullable().meta({ examples: ['#ff8800'] }),
  support_email: z.email('must be an e-mail address').max(254).nullable(),
  support_url: url.nullable().meta({ description: 'An https address of a public host.', examples: ['https://shop.example/help'] }),
};

export const changeBrandingBody = z.strictObject(fields).partial()
  .meta({ description: 'The fields to change; null clears one, and what is not named stays as it is.' });
export type ChangeBrandingBody = z.output<typeof changeBrandingBody>;

export const brandingObject = z.object({ object: z.literal('client_branding'), ...fields });
export type BrandingObject = z.output<typeof brandingObject>;

const UNSET: Branding = {
  display_name: null, logo_url: null, primary_color: null, accent_color: null, support_email: null, support_url: null,
};

/** The stored fields with null for those that were never set. */
export function completeBranding(stored: Partial<Branding>): Branding {
  return { ...UNSET, ...stored };
}

/** Branding as the API shows it. */
export function presentBranding(branding: Branding): BrandingObject {
  return { object: 'client_branding', ...branding };
}
