import { newPassword, passwordProblem } from './password-rules';

const ABOUT = ['maria.gonzalez@bakery-example.com', 'Sunrise Bakery'];

function messageOf(password: unknown): string | undefined {
  return newPassword.safeParse(password).error?.issues[0]?.message;
}

describe('newPassword', () => {
  const taken = ['a'.repeat(12), 'a'.repeat(72), 'ß'.repeat(6), '😀'.repeat(18), ' '.repeat(12), 'with\u0000zero inside'];

  it.each(taken)('takes %j as it is', (password) => {
    expect(newPassword.parse(password)).toBe(password);
  });

  it.each([
    ['', 'at least 12 bytes'],
    ['a'.repeat(11), 'at least 12 bytes'],
    ['a'.repeat(73), 'at most 72 bytes'],
    [`${'é'.repeat(36)}x`, 'at most 72 bytes'],
    ['😀'.repeat(19), 'at most 72 bytes'],
  ])('refuses %j', (password, text) => {
    expect(messageOf(password)).toContain(text);
  });

  it.each([undefined, null, 123456789012, ['a'.repeat(12)]])('refuses %p', (value) => {
    expect(messageOf(value)).toBeDefined();
  });
});

describe('passwordProblem', () => {
  it.each([
    'password1234', 'Password1234!', 'P@ssw0rd1234', 'qwertyuiop12', '123456789012', 'iloveyou1234', 'letmeinletmein', 'aaaaaaaaaaaa',
    'abcabcabcabc', 'welcome12345', 'drowssapdrowssap', 'CPGateway2026', 'maria.gonzalez', 'MariaGonzalez1', 'Gonzalez2026!',
    'maria.gonzalez@bakery-example.com', 'SunriseBakery1', 'sunrise bakery', 'password'.repeat(9),
  ])('refuses %s', (password) => {
    expect(passwordProblem(password, ABOUT)).toBe('is among the first that attackers try; choose a longer or less usual one');
  });

  it.each([
    'kitchen-lamp-47', 'gK7#pq2Lmz9!', 'wood table river', 'correct horse battery staple', 'ein ganz langer Satz über Brötchen',
    'восемь синих слонов', 'k'.concat('7mp2xqd9hwtc4vz'.repeat(4)),
  ])('takes %s', (password) => {
    expect(passwordProblem(password, ABOUT)).toBeUndefined();
  });

  it('minds what is known about this person, not about another', () => {
    expect(passwordProblem('wrzeszczynska1', ['anna.wrzeszczynska@example.com'])).toBeDefined();
    expect(passwordProblem('wrzeszczynska1', ABOUT)).toBeUndefined();
    expect(passwordProblem('kitchen-lamp-47', ['', '@', 'x'.repeat(100_000)])).toBeUndefined();
  });

  it('judges by the first 40 characters, which bounds its time', () => {
    expect(passwordProblem(`${'a'.repeat(39)}gK7#pq2Lmz9!Wx4&vB8`, [])).toBeDefined();
    expect(passwordProblem(`${'a'.repeat(28)}gK7#pq2Lmz9!Wx4&vB8`, [])).toBeUndefined();
  });

  it('judges hostile passwords of full length in a bounded time', () => {
    const parts = ['p@$$w0rd', '4@8({[<369!1|0$5+7%2', '1', '1.', '|_|', '/-\\', 'qwerty', '19', '😀', 'İ'];
    const hostile = parts.map((part) => part.repeat(72).slice(0, 72));
    passwordProblem('warm-up of the dictionaries', []);
    const startedAt = process.cpuUsage();
    for (const password of hostile) passwordProblem(password, ABOUT);
    // In processor time, which a busy machine changes little: it takes 0.1 s for all ten.
    expect(process.cpuUsage(startedAt).user / 1_000).toBeLessThan(1_000);
  });
});
