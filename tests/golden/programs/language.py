def outer(n):
    total = 0

    def inner(k=2, *rest, scale=1, **named):
        nonlocal total
        total += k * scale + sum(rest) + sum(named.values())
        return total

    return [inner(i, i + 1, scale=2, z=3) for i in range(n)]


print(outer(4))
squares = {k: k**2 for k in range(5) if k % 2 == 0}
print(squares, {1, 2, 2}, [*range(3), *"ab"], {**squares, 9: 81})
first, *middle, last = range(6)
print(first, middle, last)


def count(n):
    i = 0
    while True:
        if i >= n:
            return "done"
        got = yield i
        i += got or 1


gen = count(5)
print(next(gen), gen.send(2), list(gen))
try:
    try:
        1 / 0
    except ZeroDivisionError as error:
        raise ValueError("again") from error
    finally:
        print("finally")
except (ValueError, TypeError) as error:
    print(type(error).__name__, error)
else:
    print("not reached")
print(f"{3.14159:.2f} {'x':>5} {1 + 1=} {squares[2]!r} {{}} {10:#x} {'a' + 'b':^{2 * 4}}|")
print("%d %5.2f %s %r" % (1, 2.5, "a", "b"), "{:>4}|{k}".format(1, k=2))
print(1 < 2 < 3, 1 < 3 < 2, not True or False, 5 if 0 else 6, 7 // 2, -7 // 2, -7 % 3, 2**-1, ~5)
x = 10
x //= 3
x <<= 2
x |= 1
print(x, 0b101, 0x1F, 0o17, 1_000, 1e3, 2j * 2j)
for i in range(3):
    if i == 1:
        continue
    print(i, end=" ")
else:
    print("else")
while x > 0:
    x -= 5
    if x < 3:
        break
else:
    print("never")
assert x == 3 - 0 or x < 3, "message"
words = "the quick brown fox".split()
print(sorted(words, key=len), max(words, key=lambda w: w[-1]), list(map(str.upper, words)))
print(list(zip(words, range(9))), list(enumerate("ab", 1)), any([]), all([]), list(reversed([1, 2])))
matrix = [[1, 2], [3, 4]]
print([list(r) for r in zip(*matrix)], sum(sum(r) for r in matrix), matrix[-1][::-1])
if (n := len(words)) > 3:
    print(n)
print(isinstance(3, int), isinstance("a", (int, str)), type(3), type("a").__name__, round(2.5), divmod(7, 2))
del words[0]
print(words, "quick" in words, "a" not in "abc", None is None)
