import Media
import Testing

@testable import Core

private func at(_ milliseconds: Int64) -> MonotonicTime {
  MonotonicTime(nanoseconds: 1_000_000_000_000) + .milliseconds(milliseconds)
}

@Suite("GestureRecognizer")
struct GestureRecognizerTests {
  typealias Outcome = GestureRecognizer.Outcome

  /// Edges in ms, the first one pressed, then by turns; what was told, with the time at which it was told.
  private func tell(
    _ edges: [Int64], until end: Int64 = 60_000, gestures: Set<Gesture> = [.press, .doublePress, .hold],
    times: GestureTimes = GestureTimes(), isPressedAtStart: Bool = false, every step: Int64 = 1
  ) -> [(told: Int64, outcome: Outcome)] {
    var recognizer = GestureRecognizer(
      times: times, gestures: gestures, isPressed: isPressedAtStart, time: at(-1))
    var told: [(Int64, Outcome)] = []
    var rest = edges[...]
    var isPressed = isPressedAtStart
    for now in stride(from: Int64(0), through: end, by: Int64.Stride(step)) {
      while let next = rest.first, next <= now {
        rest = rest.dropFirst()
        isPressed.toggle()
        told += recognizer.edge(isPressed: isPressed, time: at(next)).map { (now, $0) }
      }
      // As the control loop does it: only when it is due.
      if let deadline = recognizer.deadline, deadline <= at(now) {
        told += recognizer.pass(now: at(now)).map { (now, $0) }
      }
    }
    return told
  }

  private func outcomes(
    _ edges: [Int64], gestures: Set<Gesture> = [.press, .doublePress, .hold], isPressedAtStart: Bool = false,
    every step: Int64 = 1
  ) -> [Outcome] {
    tell(edges, gestures: gestures, isPressedAtStart: isPressedAtStart, every: step).map(\.outcome)
  }

  static let vectors: [(name: String, edges: [Int64], expected: [Outcome])] = [
    ("a short press", [100, 200], [.gesture(.press, first: at(100))]),
    ("a press of exactly the longest time", [100, 1_100], [.gesture(.press, first: at(100))]),
    ("1 ms more is no press", [100, 1_101], [.unclear(first: at(100))]),
    ("let go 1 ms before a hold", [100, 3_099], [.unclear(first: at(100))]),
    ("let go at the moment of a hold", [100, 3_100], [.gesture(.hold, first: at(100))]),
    ("held for longer", [100, 9_000], [.gesture(.hold, first: at(100))]),
    ("two presses", [100, 200, 400, 500], [.gesture(.doublePress, first: at(100))]),
    ("the second at the last moment", [100, 200, 700, 800], [.gesture(.doublePress, first: at(100))]),
    (
      "the second 1 ms too late", [100, 200, 701, 800],
      [.gesture(.press, first: at(100)), .gesture(.press, first: at(701))]
    ),
    (
      "the second held for long is a double press and nothing else", [100, 200, 400, 9_000],
      [.gesture(.doublePress, first: at(100))]
    ),
    (
      "three presses are a double press and a press", [100, 200, 300, 400, 500, 600],
      [.gesture(.doublePress, first: at(100)), .gesture(.press, first: at(500))]
    ),
    (
      "four presses are two double presses", [100, 200, 300, 400, 500, 600, 700, 800],
      [.gesture(.doublePress, first: at(100)), .gesture(.doublePress, first: at(500))]
    ),
    (
      "an unclear one is no half of a double press", [100, 1_200, 1_300, 1_400],
      [.unclear(first: at(100)), .gesture(.press, first: at(1_300))]
    ),
    ("bounces at both edges of a press", [100, 102, 103, 106, 108, 300, 301, 304], [.gesture(.press, first: at(100))]),
    ("one press that chatters beyond the debounce time", [100, 109, 112, 300], [.gesture(.press, first: at(100))]),
    ("a press that the debounce time hides ends all the same", [100, 104], [.gesture(.press, first: at(100))]),
    ("stuck", [100], [.gesture(.hold, first: at(100)), .stuck(since: at(100))]),
    ("stuck, and released", [100, 30_000], [.gesture(.hold, first: at(100)), .stuck(since: at(100)), .released]),
    ("nothing", [], []),
  ]

  @Test("every boundary time, bounce and stuck button is told as the table says", arguments: vectors.indices)
  func table(_ index: Int) {
    let vector = Self.vectors[index]
    #expect(outcomes(vector.edges) == vector.expected, "\(vector.name)")
  }

  @Test("a loop that was busy for up to 5 s decides the same by the edges' times", arguments: [7, 50, 333, 5_000])
  func lateLoop(_ step: Int64) {
    for vector in Self.vectors { #expect(outcomes(vector.edges, every: step) == vector.expected, "\(vector.name)") }
  }

  @Test("a button that is held when the recorder starts means nothing until it was released once")
  func heldAtStart() {
    #expect(outcomes([], isPressedAtStart: true) == [.stuck(since: at(-1))])
    #expect(outcomes([5_000], isPressedAtStart: true) == [])
    #expect(outcomes([5_000, 5_100, 5_200], isPressedAtStart: true) == [.gesture(.press, first: at(5_100))])
  }

  @Test("a double press is told at its second edge, a hold while it is held, a press when no second can come any more")
  func moments() {
    #expect(tell([100, 200, 400, 500]).first?.told == 400)
    let delivery = GestureTimes().delivery.inMilliseconds
    #expect(tell([100, 9_000]).first?.told == 3_100 + delivery)
    #expect(tell([100, 200]).first?.told == 200 + 500 + delivery + 1)
    #expect(tell([100, 200], gestures: [.press, .hold]).first?.told == 200)
    for gesture in Gesture.allCases {
      let slowest: [Int64] =
        switch gesture {
        case .press: [100, 1_100]
        case .doublePress: [100, 1_100, 1_600, 1_700]
        case .hold: [100, 9_000]
        }
      let told = tell(slowest)[0]
      #expect(told.outcome == .gesture(gesture, first: at(100)))
      #expect(.milliseconds(told.told - 100) <= GestureTimes().longestDecision(of: gesture, hasDouble: true))
    }
  }

  @Test(
    "what means nothing is not waited for: without a double press two presses are two, without a hold it is unclear")
  func meaningless() {
    #expect(
      outcomes([100, 200, 300, 400], gestures: [.press])
        == [.gesture(.press, first: at(100)), .gesture(.press, first: at(300))])
    #expect(outcomes([100, 5_000], gestures: [.press]) == [.unclear(first: at(100))])
    #expect(outcomes([100], gestures: [.press]) == [.stuck(since: at(100))])
  }

  @Test("after lost edges nothing is made up, and the next press counts")
  func resynchronised() {
    var recognizer = GestureRecognizer(
      times: GestureTimes(), gestures: [.press, .doublePress, .hold], isPressed: false, time: at(0))
    _ = recognizer.edge(isPressed: true, time: at(100))
    #expect(recognizer.resynchronise(isPressed: false, time: at(150)).isEmpty)
    #expect(recognizer.pass(now: at(10_000)).isEmpty && recognizer.deadline == nil)
    _ = recognizer.edge(isPressed: true, time: at(11_000))
    _ = recognizer.edge(isPressed: false, time: at(11_100))
    #expect(recognizer.pass(now: at(12_000)) == [.gesture(.press, first: at(11_000))])
    // Lost while it is pressed: no hold is made of it.
    #expect(recognizer.resynchronise(isPressed: true, time: at(13_000)).isEmpty)
    #expect(recognizer.pass(now: at(17_000)).isEmpty)
    #expect(recognizer.edge(isPressed: false, time: at(18_000)).isEmpty)
    #expect(recognizer.resynchronise(isPressed: true, time: at(20_000)).isEmpty)
    #expect(recognizer.pass(now: at(50_000)) == [.stuck(since: at(20_000))])
    #expect(recognizer.resynchronise(isPressed: false, time: at(51_000)) == [.released])
  }

  @Test("of 3,000 random sequences none gives a gesture without edges for it, and time told late changes nothing")
  func random() {
    var random = SplitMix(state: 20_261_126)
    let steps: [Int64] = [1, 3, 9, 10, 11, 90, 400, 500, 501, 900, 1_000, 1_001, 2_999, 3_000, 3_001]
    for _ in 0..<3_000 {
      var edges: [Int64] = []
      var time: Int64 = 0
      for _ in 0..<random.next(below: 10) {
        time += steps[Int(random.next(below: Int64(steps.count)))]
        edges.append(time)
      }
      let prompt = outcomes(edges, every: 10)
      #expect(prompt == outcomes(edges, every: 1_700), "\(edges)")
      var last: MonotonicTime?
      for case .gesture(_, let first) in prompt {
        #expect(edges.contains { at($0) == first }, "\(edges)")
        #expect(last.map { first > $0 } ?? true, "\(edges)")
        last = first
      }
    }
  }
}
