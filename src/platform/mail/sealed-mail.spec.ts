import { Envelope } from '../security/crypto/envelope';
import { openLetter, sealLetter } from './sealed-mail';

const envelope = new Envelope([Buffer.alloc(32, 1)]);
const mail = { to: 'anna@example.com', subject: 'Hello', text: 'open https://pay.example.com/?token=cpgo_secret' };

describe('a sealed letter', () => {
  it('opens to what was sealed, with an id and a date that stay', () => {
    const sealed = sealLetter(envelope, mail);
    const letter = openLetter(envelope, JSON.parse(JSON.stringify(sealed)) as typeof sealed);
    expect(letter).toEqual({ ...mail, id: sealed.id, writtenAt: expect.any(Date) as Date });
    expect(openLetter(envelope, sealed)).toEqual(letter);
  });

  it('opens in its own job only', () => {
    const [one, other] = [sealLetter(envelope, mail), sealLetter(envelope, mail)];
    expect(one.id).not.toBe(other.id);
    expect(() => openLetter(envelope, { id: other.id, sealed: one.sealed })).toThrow('belongs to another place');
  });
});
