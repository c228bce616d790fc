import { type ListKind, readListValue } from './list-values';

describe('a value of a list', () => {
  it.each<[ListKind, string, string]>([
    ['ip', '203.0.113.7', '203.0.113.7'],
    ['ip', '203.0.113.7/32', '203.0.113.7'],
    ['ip', ' 203.0.113.0/24 ', '203.0.113.0/24'],
    ['ip', '10.0.0.0/8', '10.0.0.0/8'],
    ['ip', '2001:DB8:0:0::1', '2001:db8::1'],
    ['ip', '2001::/16', '2001::/16'],
    ['ip', '::ffff:203.0.113.0/120', '203.0.113.0/24'],
    ['country', 'de', 'DE'],
    ['customer', 'cus-7 Anna', 'cus-7 Anna'],
    ['email_domain', 'Example.COM', 'example.com'],
    ['email_domain', '@mail.example.com.', 'mail.example.com'],
    ['email_domain', '*.example.com', 'example.com'],
    ['email_domain', 'bücher.example', 'xn--bcher-kva.example'],
    ['destination', 'de89 3704 0044 0532 0130 00', 'DE89370400440532013000'],
    ['destination', 'TQn9Y2khEsLJW1ChVWFMSMeRDow5KcbLSE', 'TQn9Y2khEsLJW1ChVWFMSMeRDow5KcbLSE'],
    ['destination', '0xDE0B295669A9FD93D5F28D9EC85E40F4CB697BAE', '0xde0b295669a9fd93d5f28d9ec85e40f4cb697bae'],
    ['card', 'Xt5EWLLDS7FJjR1c', 'Xt5EWLLDS7FJjR1c'],
  ])('of kind %s, %s, is kept as %s', (kind, text, value) => {
    expect(readListValue(kind, text)).toEqual({ value });
  });

  it.each<[ListKind, string]>([
    ['ip', '0.0.0.0/0'], ['ip', '::/0'], ['ip', '8.0.0.0/7'], ['ip', '2000::/15'], ['ip', '203.0.113.7/24'], ['ip', '203.0.113'], ['ip', '0x7f.1'],
    ['ip', '203.0.113.1-203.0.113.9'], ['ip', 'example.com'], ['ip', ''],
    ['country', 'DEU'], ['country', 'd1'], ['customer', ''], ['customer', 'a\nb'],
    ['email_domain', 'com'], ['email_domain', 'anna@example.com'], ['email_domain', '203.0.113.7'], ['email_domain', '-a.example'],
    ['email_domain', `${'a'.repeat(64)}.example`], ['email_domain', 'a..example'], ['email_domain', 'a b.example'],
    ['destination', 'my wallet'], ['destination', 'DE00'], ['card', '4242424242424242'], ['card', 'a b'],
  ])('of kind %s is not %j', (kind, text) => {
    expect(readListValue(kind, text)).toEqual({ refusal: expect.any(String) });
  });
});
