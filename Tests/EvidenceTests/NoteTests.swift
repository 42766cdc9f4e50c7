import Testing

@testable import Evidence

@Suite("Signed notes and the agency's chain of trust")
struct NoteTests {
  @Test("The note of the Go implementation's documentation verifies")
  func stranger() throws {
    let key = try VerifierKey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    let text = """
      If you think cryptography is the answer to your problem,
      then you don't know what your problem is.

      — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=

      """
    let note = try Note(parsing: Array(text.utf8))
    #expect(note.isSigned(by: key))
    #expect(note.lines.count == 2)
    var changed = Array(text.utf8)
    changed[0] ^= 1
    #expect(try !Note(parsing: changed).isSigned(by: key))
  }

  @Test("From the pinned root over roles.note to the device and the recipients")
  func chain() throws {
    let agency = try Agency()
    let trust = try agency.trust
    #expect(trust.device == agency.device.identity)
    #expect(trust.recipientList == agency.recipients && trust.recipients?.version == 3 && !trust.isDemo)
    #expect(try Agency(isDemo: true).trust.isDemo)
  }

  @Test("A note signed by a key without the role, by another root, or after its key's end is refused")
  func strangers() throws {
    let agency = try Agency()
    let other = try Agency()
    func refused(_ root: VerifierKey, _ roles: [UInt8], _ enrolment: [UInt8], _ recipients: [UInt8]?) {
      #expect { try DeviceTrust(root: root, roles: roles, enrolment: enrolment, recipients: recipients) } throws: {
        ($0 as? EvidenceError)?.code == .note
      }
    }
    refused(other.root.key, agency.roles, agency.enrolment, nil)
    refused(agency.root.key, agency.roles, other.enrolment, nil)
    refused(agency.root.key, agency.roles, agency.enrolment, other.recipientsNote)
    // A note of one kind in the place of another, though the same key may sign both.
    refused(agency.root.key, agency.roles, agency.recipientsNote, nil)
    refused(agency.root.key, agency.roles, agency.enrolment, agency.enrolment)
    let late = try Agency(notAfter: Agency.issued - 1)
    refused(late.root.key, late.roles, late.enrolment, nil)
    _ = try Agency(notAfter: Agency.issued).trust
  }

  @Test("Every byte of a recipients.note changed, one at a time, is refused")
  func flips() throws {
    let agency = try Agency()
    let roles = try RolesNote(parsing: agency.roles, root: agency.root.key)
    for index in agency.recipientsNote.indices {
      var changed = agency.recipientsNote
      changed[index] ^= 2
      #expect(throws: EvidenceError.self, "byte \(index)") { try RecipientsNote(parsing: changed, roles: roles) }
    }
  }

  @Test(
    "A signed note whose text breaks a rule is refused",
    arguments: [
      ["lapel/recipients v2", "version 1", "issued 1", "recipient \(KeyTests.known)"],
      ["lapel/recipients v1", "version 0", "issued 1", "recipient \(KeyTests.known)"],
      ["lapel/recipients v1", "version 01", "issued 1", "recipient \(KeyTests.known)"],
      ["lapel/recipients v1", "issued 1", "version 1", "recipient \(KeyTests.known)"],
      ["lapel/recipients v1", "version 1", "recipient \(KeyTests.known)"],
      ["lapel/recipients v1", "version 1", "issued 1"],
      ["lapel/recipients v1", "version 1", "issued 1", "demo", "demo", "recipient \(KeyTests.known)"],
      ["lapel/recipients v1", "version 1", "issued 1", "recipient  \(KeyTests.known)"],
      ["lapel/recipients v1", "version 1", "issued 1", "recipient \(KeyTests.known) "],
      ["lapel/recipients v1", "version 1", "issued 1", "recipient \(KeyTests.known)", "hello"],
    ])
  func texts(_ lines: [String]) throws {
    let agency = try Agency()
    let roles = try RolesNote(parsing: agency.roles, root: agency.root.key)
    let note = try agency.clerk.sign(lines)
    #expect(throws: EvidenceError.self) { try RecipientsNote(parsing: note, roles: roles) }
  }

  @Test("Bytes that are no note are refused")
  func malformed() throws {
    let good = "a\n\n— n AAAAAAA=\n"
    _ = try Note(parsing: Array(good.utf8))
    for text in [
      "", "\n", "a\n", "a\n\n", "a\n— n AAAAAAA=\n", "a\n\n— n AAAAAAA=", "a\r\n\n— n AAAAAAA=\n",
      "a\n\n-- n AAAAAAA=\n", "a\n\n— n  AAAAAAA=\n", "a\n\n— n+m AAAAAAA=\n", "a\n\n— n AAAAAAA\n",
      "a\n\n— n AAAA\n", "a\n\n— n AAAAAAA=\nb\n",
    ] {
      #expect(throws: EvidenceError.self, "\(text)") { try Note(parsing: Array(text.utf8)) }
    }
    #expect(throws: EvidenceError.self) { try NoteSigner(name: "a b", seed: randomBytes(32)) }
    #expect(throws: EvidenceError.self) { try VerifierKey("a+00000000+AAAA") }
  }
}
