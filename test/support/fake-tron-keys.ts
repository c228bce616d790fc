/**
 * The account m/44'/195'/0' of the recovery phrase that every wallet's tests use ("abandon" eleven times, then "about"). The
 * whole world knows its private key.
 */
export const TEST_XPUB =
  'xpub6D1AabNHCupeiLM65ZR9UStMhJ1vCpyV4XbZdyhMZBiJXALQtmn9p42VTQckoHVn8WNqS7dqnJokZHAHcHGoaQgmv8D45oNUKx6DZMNZBCd';

/** Its first deposit addresses, in order. */
export const TEST_ADDRESSES = ['TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH', 'TSeJkUh4Qv67VNFwY8LaAxERygNdy6NQZK'] as const;
