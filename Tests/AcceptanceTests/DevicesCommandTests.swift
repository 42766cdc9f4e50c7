import Foundation
import Testing

extension AcceptanceTests {
  /// What holds on every machine; real devices are the device lab's.
  @Suite("lapel devices")
  struct DevicesCommandTests {
    @Test("What it suggests for this machine passes `lapel config check` as printed")
    func suggestion() throws {
      let lapel = try Rig.lapel.get()
      let suggestion = try run([lapel, "devices", "--suggest"])
      #expect(suggestion.code == 0, "\(suggestion.errors)")
      let rig = try Rig(isEnrolled: false)
      let path = "\(rig.directory)/suggested.toml"
      try suggestion.text.write(toFile: path, atomically: true, encoding: .utf8)
      let check = try run([lapel, "config", "check", path])
      #expect(check.code == 0, "\(check.errors)\(suggestion.text)")
    }

    @Test("The JSON parses, and its table has every section")
    func inventory() throws {
      let lapel = try Rig.lapel.get()
      let json = try run([lapel, "devices", "--json"])
      #expect(json.code == 0, "\(json.errors)")
      let object = try JSONSerialization.jsonObject(with: Data(json.output)) as? [String: Any]
      let encoders = try #require(object?["encoders"] as? [[String: Any]])
      #expect(!encoders.isEmpty)
      let table = try run([lapel, "devices"])
      #expect(table.code == 0, "\(table.errors)")
      for key in ["camera.device", "microphone.device", "radio.adapter", "power.battery", "store.path"] {
        #expect(table.text.contains("(\(key))"), "\(table.text)")
      }
    }

    @Test("A picture of the synthetic camera replaces what was there, and any decoder opens it at its size")
    func picture() throws {
      let lapel = try Rig.lapel.get()
      let rig = try Rig(isEnrolled: false)
      let path = "\(rig.directory)/aim.jpg"
      try "an older one".write(toFile: path, atomically: true, encoding: .utf8)
      let taken = try run([lapel, "devices", "--snapshot", "synthetic", path, "--size", "640x360"])
      #expect(taken.code == 0 && taken.errors.contains("640x360"), "\(taken.errors)")
      let probe = try run([
        "ffprobe", "-v", "error", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0", path,
      ])
      #expect(probe.code == 0 && probe.text.hasPrefix("mjpeg,640,360"), "\(probe.text)")
    }

    @Test("A camera that is not there: 69, and no file; a picture that cannot be written: 71; half a command: 64")
    func refusals() throws {
      let lapel = try Rig.lapel.get()
      let rig = try Rig(isEnrolled: false)
      let path = "\(rig.directory)/none.jpg"
      let missing = try run([lapel, "devices", "--snapshot", "/dev/video-none", path])
      #expect(missing.code == 69 && missing.errors.contains("/dev/video-none"), "\(missing.errors)")
      #expect(!FileManager.default.fileExists(atPath: path))
      let unwritable = try run([lapel, "devices", "--snapshot", "synthetic", "\(rig.directory)/none/aim.jpg"])
      #expect(unwritable.code == 71, "\(unwritable.errors)")
      for words in [["--snapshot", "synthetic"], ["aim.jpg"], ["--json", "--suggest"], ["--size", "1x1"]] {
        #expect(try run([lapel, "devices"] + words).code == 64, "\(words)")
      }
    }
  }
}
