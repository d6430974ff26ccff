import { expect, test } from 'vitest'

import { createNews } from './news.ts'

test('a passing status waits for the next one, and no longer for being decided again', () => {
  const news = createNews()
  expect(news.worthwhileAt('a', 1000)).toBe(1300)
  expect(news.worthwhileAt('a', 1200)).toBe(1300)
  news.written('a')
  expect(news.worthwhileAt('a', 2000)).toBe(2300)
})

test('it waits longer where many releases begin at once, but not for ever', () => {
  const news = createNews()
  const waits = Array.from({ length: 120 }, (_, i) => news.worthwhileAt(`uid-${i}`, 0))
  expect(waits.slice(0, 3)).toEqual([300, 360, 420])
  expect(Math.max(...waits)).toBe(7440)
  // The first one waits as long as the last: all of them are in the same crowd.
  expect(news.worthwhileAt('uid-0', 300)).toBe(7440)
  for (let i = 0; i < 100; i += 1) news.worthwhileAt(`more-${i}`, 1000)
  expect(news.worthwhileAt('uid-0', 1000)).toBe(8000)
  for (let i = 1; i < 120; i += 1) news.written(`uid-${i}`)
  expect(news.worthwhileAt('uid-0', 1000)).toBe(6300)
})

test('releases that were forgotten before their status came make no other wait', () => {
  const news = createNews()
  for (let i = 0; i < 50; i += 1) news.worthwhileAt(`gone-${i}`, 0)
  expect(news.worthwhileAt('a', 60_000)).toBe(60_300)
})
