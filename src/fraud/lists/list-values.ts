import { domainToASCII } from 'node:url';
import { isValidIBAN } from 'ibantools';
import { networkText, readNetwork } from '../../platform/security/blocks/networks';

export const LIST_KINDS = ['ip', 'country', 'customer', 'email_domain', 'destination', 'card'] as const;
export type ListKind = (typeof LIST_KINDS)[number];

/** A value in the one form in which it is kept and looked for, or why it is none. */
export type ReadValue = { value: string; refusal?: undefined } | { value?: undefined; refusal: string };

/** Wider ranges hold whole countries or everybody: more likely a slip, or a broken feed, than somebody to stop. */
const WIDEST = { ipv4: 8, ipv6: 16 } as const;
const MAX_DOMAIN = 253;
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

const READERS: Readonly<Record<ListKind, (text: string) => ReadValue>> = {
  ip: readAddresses,
  country: (text) => (/^[a-z]{2}$/i.test(text) ? { value: text.toUpperCase() } : { refusal: 'is not a country in two letters, such as DE' }),
  customer: (text) => (/^[^\p{C}]{1,255}$/u.test(text) ? { value: text } : { refusal: 'is not the name or identifier of a customer' }),
  email_domain: readDomain,
  destination: readDestination,
  card: (text) => (/^[\w-]{4,128}$/.test(text) && !/^\d{12,19}$/.test(text)
    ? { value: text } : { refusal: "is not a card's fingerprint; never enter a card number" }),
};

/** Reads a value of a list. The engine has to look for it in the same form: an address, `DE`, `example.com`, an IBAN without spaces. */
export function readListValue(kind: ListKind, text: string): ReadValue {
  return READERS[kind](text.trim());
}

function readAddresses(text: string): ReadValue {
  const network = readNetwork(text);
  if (!network) return { refusal: 'is not an IP address or a range without bits beyond its prefix, such as 203.0.113.0/24' };
  const widest = WIDEST[network.base.kind()];
  return network.bits < widest ? { refusal: `is wider than /${widest}` } : { value: networkText(network) };
}

/** As it stands behind the @; a leading @ or *. says no more than that. International names are kept as DNS has them (RFC 5890). */
function readDomain(text: string): ReadValue {
  const domain = domainToASCII(text.replace(/^(@|\*\.)/, '').replace(/\.$/, '')).toLowerCase();
  const labels = domain.split('.');
  const isDomain = domain.length <= MAX_DOMAIN && labels.length > 1 && labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1)!);
  return isDomain ? { value: domain } : { refusal: 'is not a domain such as example.com' };
}

function readDestination(text: string): ReadValue {
  const iban = text.replaceAll(' ', '').toUpperCase();
  if (isValidIBAN(iban)) return { value: iban };
  if (/^0x[0-9a-f]{40,64}$/i.test(text)) return { value: text.toLowerCase() };
  // Base58 and bech32 tell letters of both sizes apart, so an address is kept as it is written.
  return /^[A-Za-z0-9]{25,100}$/.test(text) ? { value: text } : { refusal: 'is not a chain address or an IBAN' };
}
