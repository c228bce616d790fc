import { qrCodes } from './qr-code';

const URI = 'otpauth://totp/CPGateway:user%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=CPGateway';

describe('qrCodes', () => {
  it('gives a PNG as a data URI and an SVG', async () => {
    const { png, svg } = await qrCodes(URI);
    const bytes = Buffer.from(png.replace('data:image/png;base64,', ''), 'base64');
    expect(bytes.subarray(0, 8).toString('hex')).toBe('89504e470d0a1a0a');
    expect(bytes.readUInt32BE(16)).toBeGreaterThanOrEqual(250);
    expect(svg).toMatch(/^<svg [^>]*viewBox="0 0 (\d+) \1"[\s\S]*<\/svg>\s*$/);
  });

  it('holds nothing of the text in clear, so that no text can break out of the SVG', async () => {
    const { svg } = await qrCodes('<script>alert(1)</script>');
    expect(svg).not.toContain('script');
  });

  it('draws another code for another text', async () => {
    expect((await qrCodes(URI)).svg).toBe((await qrCodes(URI)).svg);
    expect((await qrCodes(URI)).svg).not.toBe((await qrCodes(`${URI}x`)).svg);
  });

  it('refuses what does not fit', async () => {
    await expect(qrCodes('x'.repeat(5_000))).rejects.toThrow(/too big/);
  });
});
