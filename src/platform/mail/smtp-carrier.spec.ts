import { messageIdOf, smtpOptions } from './smtp-carrier';

describe('the way to the mail server', () => {
  it.each([
    'smtp://mail.example.com:587', 'smtp://user:pass@10.0.0.5', 'smtp://localhost.example.com', 'smtp://127.0.0.1.example.com',
    'smtp://[::2]',
  ])('must be encrypted to %s', (url) => {
    expect(smtpOptions(url)).toMatchObject({ url, requireTLS: true, ignoreTLS: false });
  });

  it.each([
    'smtp://localhost', 'smtp://LOCALHOST:25', 'smtp://user:pass@127.0.0.1:1025', 'smtp://127.1.2.3', 'smtp://[::1]:25',
  ])('need not be encrypted on this machine: %s', (url) => {
    expect(smtpOptions(url)).toMatchObject({ url, requireTLS: false, ignoreTLS: true });
  });
});

describe('the Message-ID', () => {
  it.each([
    'no-reply@pay.example.com', 'CPGateway <no-reply@pay.example.com>', '"a@b" <no-reply@pay.example.com> ',
  ])('is in the domain of %s', (from) => {
    expect(messageIdOf('1', from)).toBe('<1@pay.example.com>');
  });
});
