import { USDT_CONTRACT } from '../../chains/tron/tron-address';
import { createDestinationBody } from './destinations.dto';

const ADDRESS = 'TQn9Y2khEsLJW1ChVWFMSMeRDow5KcbLSE';
const tron = { type: 'tron_address', address: ADDRESS };
const bank = { type: 'bank_account', iban: 'DE89370400440532013000', holder: 'Anna Example' };

describe('what a destination is saved from', () => {
  it.each([
    ['DE89 3704 0044 0532 0130 00', 'Anna Example', 'DE89370400440532013000', 'Anna Example'],
    ['no93 8601 1117 947', '  Åse   Nordmann ', 'NO9386011117947', 'Åse Nordmann'],
    ['GB29NWBK60161331926819', 'Miyazaki 宮崎 & Söhne, Co. #1', 'GB29NWBK60161331926819', 'Miyazaki 宮崎 & Söhne, Co. #1'],
    ['MT84MALT011000012345MTLCAST001S', 'A', 'MT84MALT011000012345MTLCAST001S', 'A'],
  ])('takes the account %s of "%s"', (iban, holder, keptIban, keptHolder) => {
    const kept = createDestinationBody.parse({ type: 'bank_account', iban, holder });
    expect(kept).toEqual({ type: 'bank_account', iban: keptIban, holder: keptHolder });
  });

  it('keeps one way of writing a letter, so that the same holder is the same destination', () => {
    expect(createDestinationBody.parse({ ...bank, holder: 'A\u030Ase' })).toMatchObject({ holder: 'Åse' });
  });

  it('takes an address as it is', () => {
    expect(createDestinationBody.parse(tron)).toEqual(tron);
  });

  it.each<[unknown, string]>([
    [{}, 'type'], [{ type: 'paypal', address: ADDRESS }, 'type'], [[], ''], [{ type: 'tron_address' }, 'address'],
    [{ ...tron, address: `${ADDRESS.slice(0, -1)}F` }, 'address'], [{ ...tron, address: ADDRESS.toLowerCase() }, 'address'],
    [{ ...tron, address: ` ${ADDRESS}` }, 'address'], [{ ...tron, address: `${ADDRESS}\n` }, 'address'],
    [{ ...tron, address: 7 }, 'address'],
    [{ ...tron, address: '41a614f803b6fd780986a42c78ec9c7f77e6ded13c' }, 'address'], [{ ...tron, address: USDT_CONTRACT }, 'address'],
    [{ ...bank, iban: 'DE89370400440532013001' }, 'iban'], [{ ...bank, iban: 'DE98370400440532013000' }, 'iban'],
    [{ ...bank, iban: 'DE8937040044053201300' }, 'iban'], [{ ...bank, iban: 'DE89-3704-0044-0532-0130-00' }, 'iban'],
    [{ ...bank, iban: 'XX89370400440532013000' }, 'iban'], [{ ...bank, iban: 'DE89370400440532013000\n' }, 'iban'],
    [{ ...bank, iban: '' }, 'iban'], [{ ...bank, iban: 'D'.repeat(2000) }, 'iban'], [{ ...bank, iban: null }, 'iban'],
    [{ ...bank, holder: '   ' }, 'holder'], [{ ...bank, holder: 'A\nB' }, 'holder'], [{ ...bank, holder: 'a'.repeat(141) }, 'holder'],
    [{ ...bank, holder: 'evil\u202Eelpmaxe' }, 'holder'], [{ ...bank, holder: 'A\u200Bnna' }, 'holder'],
    [{ ...bank, holder: 'A\u2028B' }, 'holder'], [{ ...bank, holder: '\uD800' }, 'holder'], [{ ...bank, holder: 7 }, 'holder'],
    [{ type: 'bank_account', iban: bank.iban }, 'holder'],
  ])('refuses %j', (body, field) => {
    const { error } = createDestinationBody.safeParse(body);
    expect(error?.issues.map(({ path }) => path.join('.'))).toEqual([field]);
  });
});
