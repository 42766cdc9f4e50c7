public import Media

extension SignTable {
  /// Who looks at the camera for this long can tell whether it records, whatever else it shows.
  public static let longestDoubt = Nanoseconds.seconds(2)

  /// What of this table would leave its wearer in doubt, in plain words, one sentence each; empty when all is clear.
  ///
  /// - Every main state but *stopping* shows a light that lasts, every condition something.
  /// - No two main states have the same lights, no two conditions the same lights, tone and vibration.
  /// - Whoever looks for `longestDoubt` sees a light that tells *recording* from every other main state, whatever conditions
  ///   are shown beside either of them; and no cue holds a light for as long.
  ///
  /// Lights are compared one by one, not by how they follow each other: what passes is clear, and a table that is told apart
  /// by that order alone does not pass.
  /// - Parameter outputs: those that the camera has. What the table does with others is not seen.
  public func problems(with outputs: SignLevels = .all) -> [String] {
    let outputs = SignOutput.allCases.filter { outputs[$0] }
    let lights = outputs.filter(\.isLight)
    let dark = Sign.mainStates.filter { sign in lights.allSatisfy { look(sign, $0) == .off } }
    var problems: [String] = []
    for sign in dark where sign != .stopping {
      problems.append("\(sign.rawValue) shows no light that lasts: give it one, as in \"green 100/1900\".")
    }
    let shown = Sign.mainStates.filter { !dark.contains($0) }
    for (one, other) in pairs(shown) {
      if lights.allSatisfy({ look(one, $0).looksLike(look(other, $0)) }) {
        problems.append("\(one.rawValue) and \(other.rawValue) have the same lights: change those of one of them.")
      } else if (one == .recording || other == .recording) && mayBeMistaken(one, other, lights) {
        let taken = one == .recording ? other : one
        problems.append(
          "\(taken.rawValue) can look like recording for \(Self.longestDoubt.inMilliseconds / 1_000) s or longer, alone or with "
            + "a condition: let only recording hold its light so long.")
      }
    }
    return problems + problemsOfConditions(outputs) + problemsOfCues(lights)
  }

  private func problemsOfConditions(_ outputs: [SignOutput]) -> [String] {
    var problems: [String] = []
    let empty = Sign.conditions.filter { sign in outputs.allSatisfy { (self[sign][$0] ?? .off) == .off } }
    for sign in empty {
      problems.append("\(sign.rawValue) shows nothing: give it a light, a tone or vibration, as in \"blue 60/4940\".")
    }
    for (one, other) in pairs(Sign.conditions.filter { !empty.contains($0) }) {
      // Also what is shown once has to differ.
      let isSame = outputs.allSatisfy { output in
        let (left, right) = (self[one][output] ?? .off, self[other][output] ?? .off)
        return left.looksLike(right) && (left.duration == nil) == (right.duration == nil)
          && (left.duration == nil || left == right)
      }
      if isSame { problems.append("\(one.rawValue) and \(other.rawValue) show the same: change one of them.") }
    }
    return problems
  }

  private func problemsOfCues(_ lights: [SignOutput]) -> [String] {
    var problems: [String] = []
    for cue in Cue.allCases {
      for light in lights {
        guard let duration = self[cue][light]?.duration, duration >= Self.longestDoubt else { continue }
        problems.append(
          "\(cue.rawValue) holds the light \(light.rawValue) for \(duration.inMilliseconds) ms, and hides the state for as long: "
            + "keep it under \(Self.longestDoubt.inMilliseconds) ms.")
      }
    }
    return problems
  }

  /// What is seen of a light in a main state, no condition beside it, when it has been so for long.
  private func look(_ sign: Sign, _ light: SignOutput) -> SignPattern { self[sign][light]?.lasting ?? .off }

  /// True when no light tells the two apart for certain.
  private func mayBeMistaken(_ one: Sign, _ other: Sign, _ lights: [SignOutput]) -> Bool {
    lights.allSatisfy { light in
      looks(one, light).contains { look in
        looks(other, light).contains { look.agrees(with: $0, for: Self.longestDoubt) }
      }
    }
  }

  /// All that may be seen of a light in a main state: its own, or else any condition's.
  private func looks(_ sign: Sign, _ light: SignOutput) -> [SignPattern] {
    if let own = self[sign][light] { return [own] }
    return [.off] + Sign.conditions.compactMap { self[$0][light] }
  }

  private func pairs(_ signs: [Sign]) -> [(Sign, Sign)] {
    signs.indices.flatMap { index in signs[(index + 1)...].map { (signs[index], $0) } }
  }
}
