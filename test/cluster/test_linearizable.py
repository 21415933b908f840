# SPDX-License-Identifier: Apache-2.0
"""The checker of histories accepts what a single image can have answered and nothing else."""
import dataclasses
import itertools
import random
import unittest

from linearizable import WRITES, Request, applicable, explain, relaxed, step


def request(kind, sent, received, outcome, value=None, expected=None):
    return Request(kind, sent, received, outcome, value, expected)


class Accepted(unittest.TestCase):
    def accept(self, *history):
        self.assertIsNone(explain(history))

    def test_an_empty_history(self):
        self.accept()

    def test_requests_after_each_other(self):
        self.accept(request("read", 0, 1, "missing"),
                    request("create", 2, 3, "made", "a"),
                    request("read", 4, 5, "found", "a"),
                    request("read_if", 6, 7, "unchanged", expected="a"),
                    request("replace_if", 8, 9, "done", "b", "a"),
                    request("replace_if", 10, 11, "refused", "c", "a"),
                    request("read_if", 12, 13, "found", "b", "a"),
                    request("create", 14, 15, "taken", "d"),
                    request("delete", 16, 17, "done"),
                    request("delete", 18, 19, "missing"),
                    request("replace", 20, 21, "missing", "e"))

    def test_a_read_beside_a_write_may_see_either(self):
        for value in ("a", "b"):
            self.accept(request("create", 0, 1, "made", "a"), request("replace", 2, 5, "done", "b"),
                        request("read", 3, 4, "found", value))

    def test_an_unknown_write_may_have_happened_or_not_or_happen_later(self):
        unknown = request("replace", 2, 3, None, "b")
        begin = request("create", 0, 1, "made", "a")
        self.accept(begin, unknown, request("read", 4, 5, "found", "a"))
        self.accept(begin, unknown, request("read", 4, 5, "found", "b"))
        self.accept(begin, unknown, request("read", 4, 5, "found", "a"), request("read", 6, 7, "found", "b"))

    def test_a_refusal_where_there_is_none(self):
        self.accept(request("replace_if", 0, 1, "refused", "b", "a"))


class Refused(unittest.TestCase):
    """Each of these is what a wrong server would answer."""

    def refuse(self, *history):
        self.assertIsNotNone(explain(history))

    def setUp(self):
        self.begin = request("create", 0, 1, "made", "a")
        self.replaced = request("replace", 2, 3, "done", "b")

    def test_a_stale_read(self):
        self.refuse(self.begin, self.replaced, request("read", 4, 5, "found", "a"))

    def test_a_stale_not_modified(self):
        self.refuse(self.begin, self.replaced, request("read_if", 4, 5, "unchanged", expected="a"))

    def test_reads_that_go_back(self):
        self.refuse(self.begin, request("replace", 2, 9, "done", "b"), request("read", 3, 4, "found", "b"),
                    request("read", 5, 6, "found", "a"))

    def test_a_value_that_nobody_wrote(self):
        self.refuse(self.begin, request("read", 2, 3, "found", "x"))

    def test_a_lost_update(self):
        self.refuse(self.begin, request("replace_if", 2, 4, "done", "b", "a"), request("replace_if", 3, 5, "done", "c", "a"))

    def test_an_acknowledged_write_that_is_lost(self):
        self.refuse(self.begin, self.replaced, request("read", 4, 5, "found", "b"), request("read", 6, 7, "found", "a"))

    def test_a_deleted_image_that_is_read(self):
        self.refuse(self.begin, request("delete", 2, 3, "done"), request("read", 4, 5, "found", "a"))

    def test_two_deletions_that_succeed(self):
        self.refuse(self.begin, request("delete", 2, 4, "done"), request("delete", 3, 5, "done"))

    def test_two_creations_that_succeed(self):
        self.refuse(request("create", 0, 2, "made", "a"), request("create", 1, 3, "made", "b"))

    def test_an_image_that_is_missing_though_nobody_deleted_it(self):
        self.refuse(self.begin, request("read", 2, 3, "missing"))

    def test_a_condition_that_is_refused_though_it_holds(self):
        self.refuse(self.begin, request("replace_if", 2, 3, "refused", "b", "a"))

    def test_a_name_that_is_taken_though_it_is_free(self):
        self.refuse(request("create", 0, 1, "taken", "a"))

    def test_an_unknown_write_that_is_seen_and_then_gone(self):
        self.refuse(self.begin, request("replace", 2, 3, None, "b"), request("read", 4, 5, "found", "b"),
                    request("read", 6, 7, "found", "a"))

    def test_an_unknown_write_that_is_seen_before_it_was_sent(self):
        self.refuse(self.begin, request("read", 2, 3, "found", "b"), request("replace", 4, 5, None, "b"))

    def test_a_response_before_its_request(self):
        with self.assertRaises(ValueError):
            explain([request("read", 2, 1, "missing")])

    def test_the_explanation_names_the_request(self):
        text = explain([self.begin, self.replaced, request("read", 4, 5, "found", "a")])
        self.assertIn("read a -> found", text)


class Bounded(unittest.TestCase):
    """Reads may be old by a bound, writes may not."""

    def setUp(self):
        self.history = [request("create", 0, 1, "made", "a"), request("replace", 2, 3, "done", "b")]

    def test_a_stale_read_within_the_bound(self):
        history = [*self.history, request("read", 4, 5, "found", "a")]
        self.assertIsNone(explain(relaxed(history, 1.5)))
        self.assertIsNotNone(explain(relaxed(history, 0.5)))

    def test_a_stale_not_modified_within_the_bound(self):
        history = [*self.history, request("read_if", 4, 5, "unchanged", expected="a")]
        self.assertIsNone(explain(relaxed(history, 1.5)))
        self.assertIsNotNone(explain(relaxed(history, 0.5)))

    def test_a_write_on_stale_knowledge(self):
        history = [*self.history, request("replace_if", 4, 5, "done", "c", "a")]
        self.assertIsNotNone(explain(relaxed(history, 100)))


def brute_force(history):
    """By definition: some subset of the unknown writes, some order, every response fits. For short histories."""
    known = [r for r in history if r.outcome is not None]
    unknown = [r for r in history if r.outcome is None]
    for count in range(len(unknown) + 1):
        for happened in itertools.combinations(unknown, count):
            for order in itertools.permutations([*known, *happened]):
                late = any(b.outcome is not None and b.received < a.sent
                           for i, a in enumerate(order) for b in order[i + 1:])
                state, fits = None, not late
                for r in order:
                    following = step(r, state) if fits else []
                    fits = bool(following)
                    state = following[0] if following else state
                if fits:
                    return True
    return False


class Random(unittest.TestCase):
    def history(self, chooser, requests, clients, unknown=0.1):
        """What a right server would answer: each request takes effect at a random moment while it is under way."""
        found, busy = [], [0.0] * clients
        moments = []
        for number in range(requests):
            client = chooser.randrange(clients)
            sent = busy[client] + chooser.random()
            received = sent + chooser.random() * 3
            busy[client] = received
            moments.append((chooser.uniform(sent, received), sent, received, number))
        state, values = None, []
        for _, sent, received, number in sorted(moments):
            kind = chooser.choice(("create", "replace", "replace_if", "delete", "read", "read", "read_if"))
            value = f"v{number}" if kind in ("create", "replace", "replace_if") else None
            expected = chooser.choice([state, *values[-2:]]) if kind in ("replace_if", "read_if") else None
            if kind in ("replace_if", "read_if") and expected is None:
                kind, value = "read", None
            r = Request(kind, sent, received, None, value, expected)
            if r.reads:
                outcome = "missing" if state is None else "unchanged" if state == expected and kind == "read_if" else "found"
                r = dataclasses.replace(r, outcome=outcome, value=state if outcome == "found" else None)
            elif applicable(r, state):
                r = dataclasses.replace(r, outcome=WRITES[kind] if chooser.random() >= unknown else None)
                state = None if kind == "delete" else value
                values.append(value) if value else None
            else:
                outcome = {"create": "taken", "replace_if": "refused" if state is not None else "missing"}.get(kind, "missing")
                r = dataclasses.replace(r, outcome=outcome)
            found.append(r)
        return found

    def test_what_a_right_server_answers_is_accepted(self):
        chooser = random.Random(1)
        for _ in range(100):
            history = self.history(chooser, 60, 6)
            self.assertIsNone(explain(history))

    def test_a_long_history_of_many_clients_is_decided(self):
        history = self.history(random.Random(2), 1000, 9, unknown=0)
        self.assertIsNone(explain(history))
        values = [r.value for r in history if r.kind == "replace" and r.outcome == "done"]
        wrong = [*history, request("read", 10_000, 10_001, "found", values[0])]
        self.assertIsNotNone(explain(wrong))

    def test_short_histories_are_judged_as_by_definition(self):
        """Right histories with one response changed are mostly wrong, but not always."""
        chooser = random.Random(3)
        verdicts = {True: 0, False: 0}
        for _ in range(600):
            history = self.history(chooser, 5, 3)
            index = chooser.randrange(len(history))
            r = history[index]
            values = [h.value for h in history if h.value] or ["x"]
            if r.reads:
                history[index] = dataclasses.replace(r, outcome="found", value=chooser.choice(values))
            elif r.outcome:
                swapped = {"made": "taken", "taken": "made", "done": "missing", "missing": "done", "refused": "done"}
                history[index] = dataclasses.replace(r, outcome=swapped[r.outcome])
            expected = brute_force(history)
            verdicts[expected] += 1
            self.assertEqual(expected, explain(history) is None, history)
        self.assertGreater(min(verdicts.values()), 50, verdicts)


if __name__ == "__main__":
    unittest.main()
